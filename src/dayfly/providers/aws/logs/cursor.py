"""Where a reader of a log stream stands, and what it asks for next."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from datetime import datetime

    from dayfly.contract.jobs import LogQuery
    from dayfly.providers.aws.logs.reader import LogPlace

_FORM: Final = re.compile(r"([0-9]{1,15})\.([0-9]{1,9})(?:\.([!-~]{1,512}))?")
#: How far the clock of a job's host may be behind the one that says when the job was made.
_SKEW_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one log stream.

    A position means the same to every call that reads events in the order of their
    timestamps; a token saves the skipping of what was had.

    Attributes:
        ms: Timestamp of the last event had, in ms since 1970; what is older is not wanted.
        had: How many events of this timestamp were had.
        token: GetLogEvents' own word for the same place, where that is known.
    """

    ms: int = 0
    had: int = 0
    token: str = ""

    def __str__(self) -> str:
        return f"{self.ms}.{self.had}.{self.token}" if self.token else f"{self.ms}.{self.had}"

    @property
    def position(self) -> tuple[int, int]:
        """Without the token; a later one is greater."""
        return self.ms, self.had

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """A cursor of ours.

        Raises:
            InvalidField: It is none.
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise InvalidField(f"{text[:80]!r} is no cursor of the aws provider", field="cursor")
        return cls(int(found[1]), int(found[2]), found[3] or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be read of one stream.

    Attributes:
        place: The stream.
        cursor: From where on.
        timestamps: The time of each line is asked for.
    """

    place: LogPlace
    cursor: Cursor
    timestamps: bool = False


def question_of(place: LogPlace, query: LogQuery) -> Question:
    """A query as a question.

    Raises:
        InvalidField: Its cursor is none of ours.
    """
    cursor = Cursor.parse(query.cursor) if query.cursor else Cursor(_made(place))
    since = milliseconds(query.since)
    if since > cursor.ms:
        cursor = Cursor(since)
    return Question(place=place, cursor=cursor, timestamps=query.timestamps)


def milliseconds(time: datetime | None) -> int:
    """The first whole millisecond at or after a time, since 1970; 0 for none."""
    return max(math.ceil(time.timestamp() * 1000), 0) if time else 0


def _made(place: LogPlace) -> int:
    return max(milliseconds(place.since) - _SKEW_MS, 0)
