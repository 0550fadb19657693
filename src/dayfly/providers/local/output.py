"""Reads a job's output in pages: planned from the index, read from the two files.

The two streams are two pipes, so that their order is known only as well as the supervisor
was quick to read them. Bytes that came within the same two milliseconds are put together by
stream: a job that alternates between them does not make a batch of every line.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dayfly.contract.jobs import LogBatch, Stream
from dayfly.providers.local import cursor, errors, layout
from dayfly.providers.local.client import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dayfly.contract.jobs import LogQuery
    from dayfly.providers.local.cursor import Position

_STREAMS = (Stream.STDOUT, Stream.STDERR)
_BATCH_BYTES = 64 * 1024
_TOGETHER_NANOSECONDS = 2_000_000
_INDEX_PAGE_ENTRIES = 4096
_TAIL_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of one stream that becomes a batch.

    Attributes:
        stream: STDOUT or STDERR of the layout.
        start: Where it begins in the stream's file.
        end: Where it ends.
        marks: (offset in the run, nanoseconds since 1970), for each read it is made of.
        after: Where the reader stands after it.
    """

    stream: int
    start: int
    end: int
    marks: tuple[tuple[int, int], ...]
    after: Position


class Reader:
    """One reading of a job's output, from a cursor to what there is now. It blocks."""

    def __init__(self, path: Path, query: LogQuery) -> None:
        """Find where to begin.

        Raises:
            InvalidField: The cursor is none of this job's.
        """
        self._path, self._query = path, query
        # Before the index: what the job printed to its end is in it then.
        self.ended = not is_alive(path) and (path / layout.STARTED).exists()
        self.ended = self.ended or (path / layout.RESULT).exists()
        since = query.since
        self._since = int(since.timestamp() * 1e9) if since else None
        self.position = cursor.parse(query.cursor)
        with _opened(path, layout.INDEX) as index:
            self._entries = os.fstat(index).st_size // layout.ENTRY.size
            self._check(index)
        if query.tail_lines is not None and not query.cursor:
            self.position = replace(
                self.position,
                out=_tail_start(path / layout.STREAMS[0], query.tail_lines),
                err=_tail_start(path / layout.STREAMS[1], query.tail_lines),
            )

    def batches(self) -> Iterator[list[LogBatch]]:
        """Batches in order, in lists that each stand for one go at the disk."""
        while self.position.entry < self._entries:
            pieces = self._plan_page()
            for first in range(0, len(pieces), 16):
                batches = [self._batch(piece) for piece in pieces[first : first + 16]]
                yield batches

    def _check(self, index: int) -> None:
        """Refuse a position that this job's output has not, or that skips some of it."""
        position, ends = self.position, [0, 0]
        sizes = [(self._path / name).stat().st_size for name in layout.STREAMS]
        if position.entry > self._entries or position.out > sizes[0] or position.err > sizes[1]:
            raise errors.bad_cursor(self._query.cursor)
        if position.entry:
            data = os.pread(index, layout.ENTRY.size, (position.entry - 1) * layout.ENTRY.size)
            _, packed = layout.ENTRY.unpack(data)
            ends[packed & 1] = packed >> 1
        if position.out < ends[0] or position.err < ends[1]:
            raise errors.bad_cursor(self._query.cursor)

    def _plan_page(self) -> list[Piece]:
        first = self.position.entry
        count = min(self._entries - first, _INDEX_PAGE_ENTRIES)
        with _opened(self._path, layout.INDEX) as index:
            data = os.pread(index, count * layout.ENTRY.size, first * layout.ENTRY.size)
        planner = _Planner(self.position)
        for number, (time, packed) in enumerate(layout.ENTRY.iter_unpack(data), first):
            planner.add(number, time, packed, wanted=self._since is None or time >= self._since)
        self.position = planner.finish(first + count)
        return planner.pieces

    def _batch(self, piece: Piece) -> LogBatch:
        with _opened(self._path, layout.STREAMS[piece.stream]) as file:
            data = os.pread(file, piece.end - piece.start, piece.start)
        if len(data) < piece.end - piece.start:
            raise errors.damaged(self._path / layout.STREAMS[piece.stream], "it was cut short")
        times = tuple((offset, to_time(at)) for offset, at in piece.marks)
        return LogBatch(
            stream=_STREAMS[piece.stream],
            data=data,
            cursor=str(piece.after),
            times=times if self._query.timestamps else (),
        )


class _Planner:
    """Puts entries together into pieces."""

    def __init__(self, position: Position) -> None:
        self.pieces: list[Piece] = []
        self._read = [position.out, position.err]
        self._waiting: dict[int, tuple[int, list[tuple[int, int]]]] = {}
        self._first_entry = position.entry
        self._first_time = 0

    def add(self, number: int, time: int, packed: int, *, wanted: bool) -> None:
        stream, end = packed & 1, packed >> 1
        reached = self._waiting[stream][0] if stream in self._waiting else self._read[stream]
        if end <= reached:
            return
        if not wanted:
            self._flush(number)
            self._read[stream] = end
            return
        start = self._read[stream]
        if self._waiting and (
            time - self._first_time > _TOGETHER_NANOSECONDS or end - start > _BATCH_BYTES
        ):
            self._flush(number)
            start = self._read[stream]
        if not self._waiting:
            self._first_entry, self._first_time = number, time
        _, marks = self._waiting.get(stream, (end, []))
        marks.append((reached - start, time))
        self._waiting[stream] = (end, marks)

    def finish(self, entry: int) -> Position:
        self._flush(entry)
        return cursor.Position(entry, *self._read)

    def _flush(self, next_entry: int) -> None:
        """Turn what waits into pieces; the last one's cursor goes on at ``next_entry``."""
        left = len(self._waiting)
        for stream, (end, marks) in self._waiting.items():
            start, self._read[stream] = self._read[stream], end
            left -= 1
            after = cursor.Position(self._first_entry if left else next_entry, *self._read)
            self.pieces.append(Piece(stream, start, end, tuple(marks), after))
        self._waiting.clear()


def to_time(nanoseconds: int) -> datetime:
    """An index's time."""
    return datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC)


def _tail_start(path: Path, lines: int) -> int:
    """Where the last lines of a file begin; a last line needs no newline."""
    with path.open("rb") as file:
        size = position = file.seek(0, os.SEEK_END)
        if lines == 0:
            return size
        # The newline that ends the file ends its last line, and is not one before it.
        limit = max(size - 1, 0)
        while position > 0:
            start = max(position - _TAIL_BLOCK_BYTES, 0)
            file.seek(start)
            block = file.read(position - start)
            end = min(len(block), limit - start)
            while (found := block.rfind(b"\n", 0, max(end, 0))) >= 0:
                lines -= 1
                if lines == 0:
                    return start + found + 1
                end = found
            position = start
    return 0


@contextmanager
def _opened(path: Path, name: str) -> Iterator[int]:
    descriptor = os.open(path / name, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
