"""What the process prints, its C code and children included, goes to the host as a stream."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from typing import TYPE_CHECKING

from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire import go_plugin_pb2_grpc as go_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio
    from google.protobuf.empty_pb2 import Empty

#: go-plugin's own size of a piece.
_PIECE = 1024

#: What is kept while nobody reads. Beyond it the oldest goes: a plugin never blocks on
#: its own chatter.
_KEPT_PIECES = 1024


class Stdio(go_grpc.GRPCStdioServicer):
    """Pipes over descriptors 1 and 2, and the stream that empties them."""

    def __init__(self) -> None:
        self._pieces: deque[go.StdioData] = deque(maxlen=_KEPT_PIECES)
        self._news = asyncio.Event()
        self._closed = False

    def redirect(self) -> None:
        """Put the pipes in place; from here on nothing printed reaches the real streams."""
        loop = asyncio.get_running_loop()
        for number, channel in ((1, go.StdioData.STDOUT), (2, go.StdioData.STDERR)):
            reader, writer = os.pipe()
            os.dup2(writer, number)
            os.close(writer)
            os.set_blocking(reader, False)
            loop.add_reader(reader, self._take, reader, channel)

    def close(self) -> None:
        """Let the stream end once it has sent what is kept."""
        self._closed = True
        self._news.set()

    def _take(self, reader: int, channel: go.StdioData.Channel.ValueType) -> None:
        try:
            data = os.read(reader, 64 * _PIECE)
        except BlockingIOError:
            return
        for at in range(0, len(data), _PIECE):
            self._pieces.append(go.StdioData(channel=channel, data=data[at : at + _PIECE]))
        self._news.set()

    async def StreamStdio(
        self,
        request: Empty,
        context: grpc.aio.ServicerContext[Empty, go.StdioData],
    ) -> AsyncIterator[go.StdioData]:
        """Everything printed, from what is kept on."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()
