"""Reading a kept log without a stop at each line.

The engine wraps every line of a log in an HTTP chunk of its own, and an HTTP library makes
an event of each: that was 20 microseconds a line, and batches of one line. Here the chunks
are undone a whole read at a time.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from dayfly.providers.docker.errors import from_transport
from dayfly.providers.docker.http import CONNECT_SECONDS, open_streams

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator

    from dayfly.providers.docker.contexts import Endpoint

_READ: Final = 256 * 1024
_MAX_SIZE_LINE: Final = 64
_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")


class BrokenBodyError(ConnectionError):
    """The body is not chunked as HTTP says, or ended before its end."""


class Dechunker:
    """Takes a chunked body as it comes and gives what is inside."""

    def __init__(self) -> None:
        self._rest = b""
        self._due = 0
        self._ending = False
        self.finished = False

    def feed(self, block: bytes) -> bytes:
        """The payload that this block brought.

        Raises:
            BrokenBodyError: The chunks are not well formed.
        """
        data = self._rest + block if self._rest else block
        at, end = 0, len(data)
        parts = []
        while not self.finished:
            if self._due:
                part = data[at : at + self._due]
                at += len(part)
                self._due -= len(part)
                parts.append(part)
                if self._due:
                    break
                self._ending = True
            if self._ending:
                if end - at < 2:
                    break
                if data[at : at + 2] != b"\r\n":
                    raise BrokenBodyError("a chunk is longer than it said")
                at += 2
                self._ending = False
            size = self._size(data, at)
            if size is None:
                break
            at = data.index(b"\n", at) + 1
            self._due = size
            self.finished = size == 0
        self._rest = data[at:]
        return b"".join(parts)

    @staticmethod
    def _size(data: bytes, at: int) -> int | None:
        line = data.find(b"\r\n", at, at + _MAX_SIZE_LINE)
        if line < 0:
            if len(data) - at >= _MAX_SIZE_LINE:
                raise BrokenBodyError("a chunk's size is missing")
            return None
        digits = data[at:line].partition(b";")[0].strip()
        if not _SIZE.fullmatch(digits):
            raise BrokenBodyError(f"a chunk's size is {digits!r}")
        return int(digits, 16)


class ChunkedStream:
    """The body of one GET, over a connection of its own. It must be closed."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, endpoint: Endpoint
    ) -> None:
        self.status = 0
        self._reader = reader
        self._writer = writer
        self._endpoint = endpoint
        self._chunked = False
        self._tried = ""

    @classmethod
    async def get(
        cls, endpoint: Endpoint, context: ssl.SSLContext | None, target: str
    ) -> ChunkedStream:
        """Send the request, and read up to the body."""
        tried = f"GET {target.partition('?')[0]}"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                pair = await open_streams(endpoint, context, _READ)
        except OSError as error:
            raise from_transport(error, endpoint, tried) from error
        stream = cls(*pair, endpoint)
        try:
            await stream._ask(target, tried)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def _ask(self, target: str, tried: str) -> None:
        self._tried = tried
        request = f"GET {target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
        try:
            self._writer.write(request.encode())
            await self._writer.drain()
            head = await self._reader.readuntil(b"\r\n\r\n")
            if not (found := _STATUS.match(head)):
                raise BrokenBodyError(f"the answer begins with {head[:40]!r}")
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:
            raise from_transport(error, self._endpoint, tried) from error
        self.status = int(found[1])
        self._chunked = b"transfer-encoding: chunked" in head.lower()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives, up to 256 KiB at a time."""
        body = Dechunker()
        try:
            while not body.finished:
                block = await self._reader.read(_READ)
                if not block:
                    if self._chunked:
                        raise BrokenBodyError("the connection ended before the output did")
                    return
                if payload := body.feed(block) if self._chunked else block:
                    yield payload
        except OSError as error:
            raise from_transport(error, self._endpoint, self._tried) from error

    async def whole(self, limit: int) -> bytes:
        """A short body: an error's."""
        body = b""
        async for chunk in self.chunks():
            body += chunk
            if len(body) > limit:
                break
        return body

    async def aclose(self) -> None:
        """Close the connection; what the other side says to that does not matter."""
        self._writer.transport.abort()
