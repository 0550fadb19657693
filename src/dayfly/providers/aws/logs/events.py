"""Events become batches: in order, each once, and none before what may still come before it.

CloudWatch can make a batch of events visible after a later one of the same stream. So an
event is given only once it was ingested some time ago, by CloudWatch's own clock, and
nothing that comes after an event which is not given yet.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.jobs import LogBatch, Stream
from dayfly.providers.aws.logs.cursor import Cursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dayfly.providers.aws.logs.cursor import Question

BATCH: Final = 256 * 1024


def clock_ms(answer: Mapping[str, Any]) -> int:
    """CloudWatch's time of an answer, to the second below, in ms since 1970."""
    try:
        date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
        return int(parsedate_to_datetime(date).timestamp()) * 1000
    except (KeyError, ValueError, TypeError):
        # Only a stand-in leaves it out.
        return int(datetime.now(UTC).timestamp()) * 1000


def has_settled(event: Mapping[str, Any], now_ms: int, settle_ms: int) -> bool:
    """Nothing will be put before it any more."""
    return not settle_ms or int(event.get("ingestionTime", 0)) + settle_ms <= now_ms


def in_order(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """By timestamp, and as they came where that is the same."""
    return sorted(events, key=_timestamp)


class Reading:
    """Takes what comes after a question's cursor.

    Attributes:
        waits_ms: Timestamp of the first event that has not settled; None while all have.
    """

    def __init__(self, question: Question, settle_ms: int, *, by_token: bool = False) -> None:
        """Begin behind the cursor.

        Args:
            question: What is read.
            settle_ms: Age from which on an event is given.
            by_token: The events will begin behind the cursor, not at its timestamp.
        """
        self.waits_ms: int | None = None
        self._question = question
        self._settle_ms = settle_ms
        self._from = 0 if by_token else question.cursor.ms
        self._skip = 0 if by_token else question.cursor.had
        self._at = Cursor(*question.cursor.position)
        self._data = bytearray()
        self._times: list[tuple[int, datetime]] = []
        self._batches: list[LogBatch] = []

    @property
    def fresh(self) -> bool:
        """There is something to give."""
        return bool(self._data or self._batches)

    @property
    def answered(self) -> bool:
        """There is something to give, or the next is known and has not settled."""
        return self.fresh or self.waits_ms is not None

    def take(self, events: Iterable[Mapping[str, Any]], now_ms: int) -> None:
        """Take the next events of the stream, and none behind one that has not settled.

        Args:
            events: As CloudWatch gave them.
            now_ms: Its clock.
        """
        for event in in_order(events):
            ms = _timestamp(event)
            if self.waits_ms is not None or ms < self._from:
                continue
            if self._skip and ms == self._at.ms:
                self._skip -= 1
            elif has_settled(event, now_ms, self._settle_ms):
                self._add(ms, f"{event['message']}\n".encode(errors="replace"))
            else:
                self.waits_ms = ms

    def batches(self, token: str = "") -> tuple[LogBatch, ...]:
        """All that was taken, with the cursor behind each.

        Args:
            token: GetLogEvents' own for what comes after the last event that it gave.
        """
        if self.waits_ms is not None:
            token = ""
        if self._data or (token and not self._batches and token != self._question.cursor.token):
            self._close(token)
        return tuple(self._batches)

    def _add(self, ms: int, line: bytes) -> None:
        if self._data and len(self._data) + len(line) > BATCH:
            self._close()
        if self._question.timestamps:
            self._times.append((len(self._data), _time(ms)))
        self._data += line
        if ms > self._at.ms:
            self._at = Cursor(ms, 1)
        elif ms == self._at.ms:
            self._at = Cursor(ms, self._at.had + 1)

    def _close(self, token: str = "") -> None:
        self._batches.append(
            LogBatch(
                stream=Stream.COMBINED,
                data=bytes(self._data),
                cursor=str(Cursor(*self._at.position, token)),
                times=tuple(self._times),
            )
        )
        self._data.clear()
        self._times.clear()


def _timestamp(event: Mapping[str, Any]) -> int:
    return int(event["timestamp"])


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
