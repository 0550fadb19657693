"""A job's bytes on their way out: in order, untouched, and never more than a bound in memory."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

#: A reader this far behind stops the job's stream until it catches up.
BOUND_BYTES = 1 << 20
_MAX_PIECES = 256


class Sink:
    """Writes to descriptors from one thread, so that a slow reader blocks nothing else.

    One queue for all descriptors keeps their order, as it shows on a terminal. Leaving its
    block with an error waits for the readers as a flush does; cancelled, it does not.
    """

    def __init__(self) -> None:
        self._queue: deque[tuple[int, bytes]] = deque()
        self._queued = 0
        self._closing = False
        self._failure: OSError | None = None
        self._changed = threading.Condition()
        self._loop = asyncio.get_running_loop()
        self._awaited: int | None = None
        self._reached = asyncio.Event()
        self._thread = threading.Thread(target=self._drain, name="dayfly-sink", daemon=True)
        self._thread.start()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None or not issubclass(kind, asyncio.CancelledError):
                with suppress(OSError):  # Whoever cares has flushed, and was told.
                    await self.flush()
        finally:
            self.close()

    async def write(self, descriptor: int, data: bytes) -> None:
        """Queue bytes; wait while more than the bound are queued.

        Raises:
            BrokenPipeError: The reader has gone.
            OSError: An earlier write failed.
        """
        self.write_soon(descriptor, data)
        await self._wait_for(BOUND_BYTES)

    def write_soon(self, descriptor: int, data: bytes) -> None:
        """Queue bytes without waiting; for the few that dayfly itself says."""
        with self._changed:
            if self._failure is None and data:
                self._queue.append((descriptor, data))
                self._queued += len(data)
                self._changed.notify()

    @property
    def failed(self) -> bool:
        """A write failed; nothing more will be written."""
        return self._failure is not None

    async def flush(self) -> None:
        """Wait until the readers have taken everything.

        Raises:
            OSError: A write failed.
        """
        await self._wait_for(0)

    async def _wait_for(self, most: int) -> None:
        while self._failure is None:
            with self._changed:
                if self._queued <= most:
                    return
                # Half of it, so that a thread does not switch for every piece.
                self._awaited = most // 2
                self._reached.clear()
            await self._reached.wait()
        raise self._failure

    def close(self) -> None:
        """Let the thread end; what is queued may be lost unless it was flushed."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def _drain(self) -> None:
        while pieces := self._take():
            descriptor, data = pieces
            try:
                _write_all(descriptor, data)
            except OSError as error:
                self._fail(error)
                return
            self._written(sum(map(len, data)))

    def _take(self) -> tuple[int, list[bytes]] | None:
        """The longest run of queued pieces that go to one descriptor; None at the end."""
        with self._changed:
            while not self._queue:
                if self._closing:
                    return None
                self._changed.wait()
            descriptor = self._queue[0][0]
            pieces: list[bytes] = []
            while self._queue and self._queue[0][0] == descriptor and len(pieces) < _MAX_PIECES:
                pieces.append(self._queue.popleft()[1])
            return descriptor, pieces

    def _written(self, size: int) -> None:
        with self._changed:
            self._queued -= size
            if self._awaited is not None and self._queued <= self._awaited:
                self._wake()

    def _fail(self, error: OSError) -> None:
        with self._changed:
            self._failure = error
            self._queue.clear()
            self._queued = 0
            self._wake()

    def _wake(self) -> None:
        self._awaited = None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._reached.set)


def _write_all(descriptor: int, pieces: list[bytes]) -> None:
    written = os.writev(descriptor, pieces)
    for piece in pieces:
        if written < len(piece):
            rest = memoryview(piece)[written:]
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            written = 0
        else:
            written -= len(piece)
