"""A container's output in batches: live from an attached stream, or from what was kept.

Both give every byte of each stream once and in order, so a cursor of byte offsets leads
from one to the other.
"""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DataLoss, InvalidField, Unavailable
from dayfly.contract.jobs import LogBatch, Stream
from dayfly.providers.docker.cursors import Cursor
from dayfly.providers.docker.entries import STREAMS, read_entries
from dayfly.providers.docker.frames import FrameReader
from dayfly.providers.docker.states import parse_time

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from dayfly.contract.jobs import LogQuery
    from dayfly.providers.docker.answers import ByteStream
    from dayfly.providers.docker.client import Engine

BATCH: Final = 64 * 1024


class Batcher:
    """Joins neighbouring runs of one stream, and knows the cursor after each batch."""

    def __init__(self, start: Cursor) -> None:
        self._had = {Stream.STDOUT: start.out, Stream.STDERR: start.err}
        self._stream = Stream.STDOUT
        self._data = bytearray()
        self._times: list[tuple[int, datetime]] = []

    @property
    def cursor(self) -> str:
        """After all that was taken."""
        return str(Cursor(self._had[Stream.STDOUT], self._had[Stream.STDERR]))

    def add(self, stream: Stream, data: bytes, time: datetime | None = None) -> LogBatch | None:
        """Take a run; what it completes is returned."""
        full = self._data and (stream is not self._stream or len(self._data) + len(data) > BATCH)
        batch = self.take() if full else None
        self._stream = stream
        if time is not None:
            self._times.append((len(self._data), time))
        self._data += data
        self._had[stream] += len(data)
        return batch

    def skip(self, stream: Stream, size: int) -> None:
        """Count bytes that are not to be sent."""
        self._had[stream] += size

    def take(self) -> LogBatch | None:
        """What is gathered; None where that is nothing."""
        if not self._data:
            return None
        data, times = bytes(self._data), tuple(self._times)
        self._data.clear()
        self._times.clear()
        return LogBatch(stream=self._stream, data=data, cursor=self.cursor, times=times)

    def end(self) -> LogBatch:
        """Says that nothing will follow."""
        return LogBatch(stream=Stream.STDOUT, data=b"", cursor=self.cursor, end=True)


async def live(stream: ByteStream, batcher: Batcher) -> AsyncGenerator[LogBatch, None]:
    """An attached stream from the container's first byte, as it comes.

    Raises:
        Unavailable: It was cut inside a frame; the kept output has the rest.
    """
    reader = FrameReader()
    async with aclosing(stream.chunks()) as chunks:
        async for chunk in chunks:
            for number, payload in reader.feed(chunk):
                if batch := batcher.add(STREAMS[number], payload):
                    yield batch
            if batch := batcher.take():
                yield batch
    if reader.torn:
        raise Unavailable("the engine cut the attached output inside a frame")


async def kept(
    engine: Engine, container: str, query: LogQuery, *, ended: bool, batcher: Batcher, skip: Cursor
) -> AsyncGenerator[LogBatch, None]:
    """What the engine kept, beyond ``skip``, and what comes while it is followed.

    Raises:
        InvalidField: The cursor lies beyond the output of a container that has ended.
    """
    left = {Stream.STDOUT: skip.out, Stream.STDERR: skip.err}
    starts = {Stream.STDOUT: True, Stream.STDERR: True}
    timed = query.timestamps or query.since is not None
    entries = read_entries(engine, container, follow=query.follow and not ended, complete=ended)
    async with aclosing(entries) as groups:
        async for group in groups:
            for stream, data, stamp in group:
                begins, starts[stream] = starts[stream], data.endswith(b"\n")
                if drop := min(left[stream], len(data)):
                    left[stream] -= drop
                    data = data[drop:]  # noqa: PLW2901 - what is left of it
                if not data:
                    continue
                time = _time(stamp) if timed else None
                if query.since and time and time < query.since:
                    batcher.skip(stream, len(data))
                    continue
                shown = time if query.timestamps and begins else None
                if batch := batcher.add(stream, data, shown):
                    yield batch
            if batch := batcher.take():
                yield batch
    if ended and any(left.values()):
        raise InvalidField(
            f"the cursor {skip} lies {max(left.values())} bytes beyond the output of {container}",
            field="cursor",
        )


async def tail_start(engine: Engine, container: str, lines: int, *, ended: bool) -> Cursor:
    """Where the last lines of each stream begin, in what is there now."""
    had = {Stream.STDOUT: 0, Stream.STDERR: 0}
    begins: dict[Stream, deque[int]] = {stream: deque(maxlen=lines) for stream in had}
    starts = {Stream.STDOUT: True, Stream.STDERR: True}
    async with aclosing(read_entries(engine, container, follow=False, complete=ended)) as groups:
        async for group in groups:
            for stream, data, _ in group:
                if starts[stream] and data:
                    begins[stream].append(had[stream])
                starts[stream] = data.endswith(b"\n")
                had[stream] += len(data)
    out, err = (begins[s][0] if begins[s] else had[s] for s in (Stream.STDOUT, Stream.STDERR))
    return Cursor(out, err)


def _time(stamp: bytes) -> datetime:
    time = parse_time(stamp.decode(errors="replace"))
    if time is None:
        raise DataLoss(f"an entry of the log has no usable time: {stamp!r}")
    return time
