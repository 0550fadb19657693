"""From runs of bytes to lines, for whoever asks for lines."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dayfly.contract.jobs import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from dayfly.contract.jobs import LogBatch

#: Bytes after which a line is passed on in parts, so that one without an end is bounded.
LONGEST_LINE: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One line of a job's output.

    Attributes:
        stream: Which output.
        line: Its bytes, without the newline.
        time: When it was printed; None where that is not known or was not asked for.
        cursor: Reading from here gives everything after this line, and at most the lines
            of one batch again.
        continues: It is part of a line over 16 MiB; the next record of this stream goes on.
    """

    stream: Stream
    line: bytes
    time: datetime | None = None
    cursor: str = ""
    continues: bool = False

    @property
    def text(self) -> str:
        """The line as text; what is no UTF-8 becomes U+FFFD."""
        return self.line.decode(errors="replace")


@dataclass(slots=True)
class _Tail:
    """A line that has begun."""

    data: bytearray = field(default_factory=bytearray)
    time: datetime | None = None


class LineSplitter:
    """Splits each stream's batches into lines."""

    def __init__(self, cursor: str = "", *, longest: int = LONGEST_LINE) -> None:
        self._tails = {stream: _Tail() for stream in Stream}
        self._longest = longest
        self._whole_to = cursor

    def feed(self, batch: LogBatch) -> Iterator[LogRecord]:
        """The lines that a batch completes."""
        tail, data, start = self._tails[batch.stream], batch.data, 0
        offsets = [offset for offset, _ in batch.times]
        while (newline := data.find(b"\n", start)) >= 0:
            time = tail.time if tail.data else _time_at(batch, offsets, start)
            line = bytes(tail.data) + data[start:newline] if tail.data else data[start:newline]
            tail.data.clear()
            start = newline + 1
            cursor = self._cursor_after(batch, start)
            yield from self._cut(
                LogRecord(stream=batch.stream, line=line, time=time, cursor=cursor)
            )
        if start < len(data):
            if not tail.data:
                tail.time = _time_at(batch, offsets, start)
            tail.data += data[start:]
            yield from self._overlong(batch.stream, tail)
        if self._clean():
            self._whole_to = batch.cursor

    def rest(self) -> Iterator[LogRecord]:
        """Last lines that have no newline."""
        for stream, tail in self._tails.items():
            if tail.data:
                line = bytes(tail.data)
                tail.data.clear()
                yield LogRecord(stream=stream, line=line, time=tail.time, cursor=self._whole_to)

    def _cursor_after(self, batch: LogBatch, start: int) -> str:
        whole = start == len(batch.data) and self._clean()
        return batch.cursor if whole else self._whole_to

    def _clean(self) -> bool:
        return not any(tail.data for tail in self._tails.values())

    def _cut(self, record: LogRecord) -> Iterator[LogRecord]:
        line = record.line
        while len(line) > self._longest:
            yield self._part(record.stream, line[: self._longest], record.time)
            line = line[self._longest :]
        yield (
            record
            if line is record.line
            else LogRecord(stream=record.stream, line=line, time=record.time, cursor=record.cursor)
        )

    def _overlong(self, stream: Stream, tail: _Tail) -> Iterator[LogRecord]:
        while len(tail.data) > self._longest:
            part = bytes(tail.data[: self._longest])
            del tail.data[: self._longest]
            yield self._part(stream, part, tail.time)

    def _part(self, stream: Stream, part: bytes, time: datetime | None) -> LogRecord:
        return LogRecord(stream=stream, line=part, time=time, cursor=self._whole_to, continues=True)


def _time_at(batch: LogBatch, offsets: Sequence[int], start: int) -> datetime | None:
    number = bisect_right(offsets, start) - 1
    return batch.times[number][1] if number >= 0 else None
