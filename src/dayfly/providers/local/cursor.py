"""Where a reader of a job's output stands, as one word."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dayfly.providers.local import errors

_FORM = re.compile(r"(\d{1,15}):(\d{1,17}):(\d{1,17})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """What was read.

    Attributes:
        entry: No entry of the index before this one has bytes that were not read.
        out: Bytes of stdout that were read.
        err: Bytes of stderr that were read.
    """

    entry: int = 0
    out: int = 0
    err: int = 0

    def __str__(self) -> str:
        return f"{self.entry}:{self.out}:{self.err}"


def parse(cursor: str) -> Position:
    """The position that a cursor stands for; the empty one is the beginning.

    Raises:
        InvalidField: It is no cursor of ours.
    """
    if not cursor:
        return Position()
    found = _FORM.fullmatch(cursor)
    if not found:
        raise errors.bad_cursor(cursor)
    return Position(*map(int, found.groups()))
