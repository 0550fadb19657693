"""GRPCStdio: what the plugin's process prints, for the host to show.

A thread reads the pipes, because code that blocks the event loop may print more than a
pipe holds. What nobody collects is dropped from the front, so that a plugin whose host
does not listen neither stands still nor grows.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire.go_plugin_pb2_grpc import GRPCStdioServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.empty_pb2 import Empty

#: Go's own size; hosts expect no more in a message.
_CHUNK_BYTES: Final = 1024
_READ_BYTES: Final = 64 * 1024
_KEPT_CHUNKS: Final = 1024


class PrintedOutput:
    """What was printed and not yet collected, the last MiB of it."""

    def __init__(self) -> None:
        self._chunks: deque[go.StdioData] = deque(maxlen=_KEPT_CHUNKS)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._ended = False

    def collect(self, stdout: int, stderr: int) -> None:
        """Read two pipes to their end.

        Args:
            stdout: Reading end of what stdout was led into; closed at its end.
            stderr: The same of stderr.
        """
        pipes = {stdout: go.StdioData.STDOUT, stderr: go.StdioData.STDERR}
        threading.Thread(target=self._read, args=(pipes,), name="dayfly-stdio", daemon=True).start()

    async def chunks(self) -> AsyncIterator[go.StdioData]:
        """Everything printed, to the end of the process's output."""
        while True:
            while self._chunks:
                yield self._chunks.popleft()
            if self._ended:
                return
            self._changed.clear()
            if not self._chunks and not self._ended:
                await self._changed.wait()

    def _read(self, pipes: dict[int, go.StdioData.Channel.ValueType]) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe in pipes:
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    if data := os.read(key.fd, _READ_BYTES):
                        self._keep(pipes[key.fd], data)
                    else:
                        selector.unregister(key.fd)
                        os.close(key.fd)
        self._ended = True
        self._wake()

    def _keep(self, channel: go.StdioData.Channel.ValueType, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK_BYTES):
            piece = data[start : start + _CHUNK_BYTES]
            self._chunks.append(go.StdioData(channel=channel, data=piece))
        self._wake()

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)


class Stdio(GRPCStdioServicer):
    """``plugin.GRPCStdio``."""

    def __init__(self, output: PrintedOutput) -> None:
        self._output = output

    async def StreamStdio(self, request: Empty, context: object) -> AsyncIterator[go.StdioData]:
        """What is printed, as it is printed."""
        async for chunk in self._output.chunks():
            yield chunk
