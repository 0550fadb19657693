"""HTTP with the engine: h11 speaks it, asyncio carries it, and idle connections serve again."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import h11

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Mapping

    from dayfly.providers.docker.contexts import Endpoint

CONNECT_SECONDS: Final = 10.0
#: For an answer to begin, and then for each piece of it.
ANSWER_SECONDS: Final = 60.0
_READ: Final = 64 * 1024
_MAX_IDLE: Final = 16

#: What a connection may fail with.
FAILURES = (OSError, h11.RemoteProtocolError)


@dataclass(frozen=True, slots=True)
class Request:
    """A request; ``seconds`` bounds the wait for each piece of its answer, None does not."""

    method: str
    target: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None


class Connections:
    """Connections to one engine, as many as are needed at once."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._context = context
        self._idle: deque[Connection] = deque()

    async def ask(self, request: Request) -> Response:
        """Send a request and read the head of its answer.

        Raises:
            OSError: The engine cannot be reached or went away; TimeoutError is one.
            h11.RemoteProtocolError: What came is no HTTP.
        """
        connection = await self._connection()
        try:
            head = await connection.ask(request)
        except BaseException:
            connection.close()
            raise
        return Response(head, connection, self, request.seconds)

    def take_back(self, connection: Connection) -> None:
        """Keep a connection for the next request, or close it."""
        if len(self._idle) < _MAX_IDLE and connection.renew():
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    async def _connection(self) -> Connection:
        while self._idle:
            if (connection := self._idle.pop()).usable:
                return connection
            connection.close()
        async with asyncio.timeout(CONNECT_SECONDS):
            return Connection(*await open_streams(self._endpoint, self._context, _READ))


class Connection:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)

    @property
    def usable(self) -> bool:
        """The engine has not closed it."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def ask(self, request: Request) -> h11.Response:
        """Send the request; the answer's head."""
        head = h11.Request(
            method=request.method,
            target=request.target,
            headers=[
                ("Host", "docker"),
                ("Content-Length", str(len(request.content))),
                *request.headers.items(),
            ],
        )
        for part in (head, h11.Data(request.content), h11.EndOfMessage()):
            self._writer.write(self._http.send(part) or b"")
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._writer.drain()
        while True:
            event = await self.event(request.seconds)
            if isinstance(event, h11.Response):
                return event

    async def event(self, seconds: float | None) -> h11.Event:
        """The next one of the answer."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(seconds):
                self._http.receive_data(await self._reader.read(_READ))
        if not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the engine closed the connection")
        return event

    def renew(self) -> bool:
        """Make it ready for another request; False where it serves no more."""
        if not (self.usable and self._http.our_state is self._http.their_state is h11.DONE):
            return False
        self._http.start_next_cycle()
        return True

    def close(self) -> None:
        """At once: what the other side says to that does not matter."""
        self._writer.transport.abort()


class Response:
    """An answer whose head is here. It must be closed."""

    def __init__(
        self,
        head: h11.Response,
        connection: Connection,
        connections: Connections,
        seconds: float | None,
    ) -> None:
        self.status: int = head.status_code
        self.headers: Mapping[bytes, bytes] = dict(head.headers)
        self._connection: Connection | None = connection
        self._connections = connections
        self._seconds = seconds

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it arrives, up to 64 KiB at a time."""
        while self._connection is not None:
            event = await self._connection.event(self._seconds)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                return

    def close(self) -> None:
        """Let the connection go; it serves again if the body was read to its end."""
        if self._connection is not None:
            self._connections.take_back(self._connection)
            self._connection = None


async def open_streams(
    endpoint: Endpoint, context: ssl.SSLContext | None, limit: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the engine, as asyncio gives one.

    Raises:
        OSError: There is none to be had.
    """
    if endpoint.socket:
        return await asyncio.open_unix_connection(endpoint.socket, limit=limit)
    return await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context, limit=limit)
