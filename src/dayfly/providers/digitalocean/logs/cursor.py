"""Where a reader stands: which output, and how many bytes of it were delivered."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dayfly.contract.errors import InvalidField

#: What App Platform keeps of a component, in the order in which it is looked for.
SOURCES = ("invocation", "run", "deploy")
_FORM = re.compile(r"(invocation|run|deploy):(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Bytes had of one source; no source is the beginning of whichever there is."""

    source: str = ""
    had: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.had}"

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
            raise InvalidField(
                f"{text[:80]!r} is no cursor of the digitalocean provider", field="cursor"
            )
        return cls(found[1], int(found[2]))
