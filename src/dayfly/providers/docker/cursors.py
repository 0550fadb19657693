"""Where a reader stands: how many bytes of each stream it has had."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dayfly.contract.errors import InvalidField

_FORM = re.compile(r"(\d{1,18}):(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Bytes had of stdout and of stderr, from the beginning."""

    out: int = 0
    err: int = 0

    def __str__(self) -> str:
        return f"{self.out}:{self.err}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """A cursor of ours; empty text is the beginning.

        Raises:
            InvalidField: It is none.
        """
        if not text:
            return cls()
        found = _FORM.fullmatch(text)
        if not found:
            raise InvalidField(f"{text[:80]!r} is no cursor of the docker provider", field="cursor")
        return cls(int(found[1]), int(found[2]))
