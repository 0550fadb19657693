"""From runs of bytes to lines, for those who ask for lines."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from dayfly.contract.jobs import LogBatch, Stream

#: A line that is longer comes in pieces, which say so.
MAX_LINE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One line of a job's output.

    Attributes:
        stream: Which output.
        line: Its bytes, without the newline.
        time: When it was printed, where times were asked for and the provider has them.
        cursor: Resumes after this line; empty where no cursor falls on its end.
        complete: A newline or the end of the output followed; False for a piece of a line
            over 16 MiB that goes on in the next record.
    """

    stream: Stream
    line: bytes
    time: datetime | None = None
    cursor: str = ""
    complete: bool = True

    @property
    def text(self) -> str:
        """The line as text; what is not UTF-8 shows as U+FFFD."""
        return self.line.decode(errors="replace")


class LineSplitter:
    """Collects batches and gives lines, stream by stream."""

    def __init__(self) -> None:
        self._begun: dict[Stream, bytearray] = {}
        self._times: dict[Stream, datetime | None] = {}

    def feed(self, batch: LogBatch) -> Iterator[LogRecord]:
        """The lines that this batch completes. Only the last can carry its cursor."""
        records = list(self._lines(batch))
        if records and not any(self._begun.values()):
            records[-1] = replace(records[-1], cursor=batch.cursor)
        yield from records

    def finish(self) -> Iterator[LogRecord]:
        """The last lines, which no newline ended."""
        for stream, begun in self._begun.items():
            if begun:
                yield self._take(stream)

    def _lines(self, batch: LogBatch) -> Iterator[LogRecord]:
        begun = self._begun.setdefault(batch.stream, bytearray())
        starts = [offset for offset, _ in batch.times]
        at, size = 0, len(batch.data)
        while at < size:
            if not begun:
                number = bisect_right(starts, at) - 1
                self._times[batch.stream] = batch.times[number][1] if number >= 0 else None
            newline = batch.data.find(b"\n", at, at + MAX_LINE_BYTES - len(begun))
            if newline >= 0:
                begun += batch.data[at:newline]
                at = newline + 1
                yield self._take(batch.stream)
                continue
            upto = min(size, at + MAX_LINE_BYTES - len(begun))
            begun += batch.data[at:upto]
            at = upto
            if len(begun) >= MAX_LINE_BYTES:
                yield self._take(batch.stream, complete=False)

    def _take(self, stream: Stream, *, complete: bool = True) -> LogRecord:
        begun = self._begun[stream]
        line = bytes(begun)
        begun.clear()
        return LogRecord(stream=stream, line=line, time=self._times.get(stream), complete=complete)
