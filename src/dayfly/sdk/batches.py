"""Output leaves in few large messages when there is much of it, and at once when there is not.

gRPC for Python carries about as many messages a second whatever their size. While one is
being sent the provider is read on, up to a bound; what came in the meantime leaves
together. Nothing waits for company.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from dayfly.contract.jobs import LogBatch

#: Of one message. Larger batches go out as they are.
MESSAGE_BYTES: Final = 64 * 1024
#: Read ahead of a slow reader.
AHEAD_BYTES: Final = 256 * 1024
#: What a batch counts beyond its bytes, so that empty ones are bounded too.
_OVERHEAD_BYTES: Final = 256


async def gathered(batches: AsyncIterator[LogBatch]) -> AsyncGenerator[LogBatch, None]:
    """The same output in the same order, neighbours of one stream joined where they are there.

    Args:
        batches: From a provider; closed when this is.
    """
    ahead = _Ahead()
    reading = asyncio.create_task(ahead.fill(batches))
    try:
        while True:
            batch = await ahead.take()
            if batch is None:
                break
            yield batch
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


class _Ahead:
    """Batches that were read and not yet sent."""

    def __init__(self) -> None:
        self._waiting: deque[LogBatch] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._ended = False

    async def fill(self, batches: AsyncIterator[LogBatch]) -> None:
        """Read to the end, or to a failure, no further ahead than the bound."""
        try:
            if hasattr(batches, "aclose"):
                async with aclosing(batches):  # type: ignore[type-var]
                    await self._fill(batches)
            else:
                await self._fill(batches)
        finally:
            self._ended = True
            self._filled.set()

    async def take(self) -> LogBatch | None:
        """The next message's worth; None at the end."""
        while not self._waiting:
            if self._ended:
                return None
            self._filled.clear()
            await self._filled.wait()
        batch = _joined(self._waiting)
        self._size = sum(map(_weight, self._waiting))
        if self._size < AHEAD_BYTES:
            self._room.set()
        return batch

    async def _fill(self, batches: AsyncIterator[LogBatch]) -> None:
        async for batch in batches:
            self._waiting.append(batch)
            self._size += _weight(batch)
            self._filled.set()
            while self._size >= AHEAD_BYTES:
                self._room.clear()
                await self._room.wait()


def _weight(batch: LogBatch) -> int:
    return len(batch.data) + _OVERHEAD_BYTES


def _joined(waiting: deque[LogBatch]) -> LogBatch:
    """Take from the front as much as may be one batch."""
    taken = [waiting.popleft()]
    size = len(taken[0].data)
    while waiting and _may_join(taken[-1], waiting[0]) and not taken[-1].end:
        size += len(waiting[0].data)
        if size > MESSAGE_BYTES:
            break
        taken.append(waiting.popleft())
    if len(taken) == 1:
        return taken[0]
    times, offset = [], 0
    for batch in taken:
        times += [(offset + place, time) for place, time in batch.times]
        offset += len(batch.data)
    return replace(
        taken[-1],
        stream=taken[0].stream,
        data=b"".join(batch.data for batch in taken),
        times=tuple(times),
    )


def _may_join(first: LogBatch, second: LogBatch) -> bool:
    return first.stream is second.stream or not second.data
