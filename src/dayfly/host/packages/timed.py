"""HTTPS whose every answer comes within one time for all of it.

urllib bounds each read of a socket alone, and its headers' reading by nothing else: a server
that sends a byte now and then would be listened to for days.
"""

from __future__ import annotations

import http.client
import io
import time
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket

#: For one answer of the network.
SILENCE_SECONDS: Final = 30.0


class TimedHTTPS(urllib.request.HTTPSHandler):
    """Opens https, and raises TimeoutError once the deadline has passed.

    Args:
        deadline: By ``time.monotonic()``.
    """

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """As urllib does it, by connections of ours."""
        return self.do_open(partial(_Connection, deadline=self._deadline), req)


class _Connection(http.client.HTTPSConnection):
    def __init__(self, host: str, *, deadline: float, **options: Any) -> None:
        super().__init__(host, **options)
        self._deadline = deadline
        self.response_class = partial(_answer, deadline)  # type: ignore[assignment]

    def connect(self) -> None:
        self.timeout = _left(self._deadline)
        super().connect()


def _answer(
    deadline: float, sock: socket.socket, *rest: Any, **named: Any
) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(_Source(sock, deadline), *rest, **named)  # type: ignore[arg-type]


class _Source:
    """What an answer needs of a socket: a file to read."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(_Timed(self._sock, self._deadline))


class _Timed(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._deadline))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(SILENCE_SECONDS, left)
