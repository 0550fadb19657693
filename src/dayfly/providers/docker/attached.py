"""Output streams opened before a container started, waiting for their reader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dayfly.providers.docker.answers import ByteStream

#: A stream that nobody reads makes the engine hold the job back once its buffer is full,
#: so it is dropped after this; the output is then read from what the engine kept.
CLAIM_SECONDS: Final = 20.0


class AttachedStreams:
    """At most one stream a container."""

    def __init__(self) -> None:
        self._streams: dict[str, ByteStream] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def hold(self, container: str, stream: ByteStream) -> None:
        """Keep a stream until it is claimed, for a while."""
        self._streams[container] = stream
        loop = asyncio.get_running_loop()
        self._timers[container] = loop.call_later(CLAIM_SECONDS, self._expire, container)

    def claim(self, container: str) -> ByteStream | None:
        """The container's stream, now the caller's to close; None where there is none."""
        if timer := self._timers.pop(container, None):
            timer.cancel()
        return self._streams.pop(container, None)

    async def drop(self, container: str) -> None:
        """Close the container's stream, if there is one."""
        if stream := self.claim(container):
            await stream.aclose()

    async def close(self) -> None:
        """Close all of them."""
        for container in list(self._streams):
            await self.drop(container)
        await asyncio.gather(*self._closing)

    def _expire(self, container: str) -> None:
        task = asyncio.get_running_loop().create_task(self.drop(container))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
