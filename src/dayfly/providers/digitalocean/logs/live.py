"""Output as it is printed: a websocket whose frames are JSON with text in ``data``.

Source: doctl, internal/apps and pkg/listen: http becomes ws, anything else wss, nothing is
sent, and close code 1000 is the end.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from dayfly.contract.errors import ProviderFailed
from dayfly.providers.digitalocean.way import from_websocket, shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from websockets.asyncio.client import ClientConnection

    from dayfly.providers.digitalocean.client import AppPlatform

_OPEN_SECONDS: Final = 15.0
_PING_SECONDS: Final = 20.0
#: How long the silence of a job is listened to before its address is asked for anew.
SILENCE_SECONDS: Final = 120.0
#: How long one who does not follow waits for more of what is there already.
QUIET_SECONDS: Final = 2.0
_GATHER_SECONDS: Final = 0.01
_GATHER_BYTES: Final = 64 * 1024
_TRIED: Final = "reading live output"


class Live:
    """One connection.

    Attributes:
        ended: It was closed with 1000: there is no more.
    """

    def __init__(self, api: AppPlatform, url: str, *, follow: bool) -> None:
        self.ended = False
        self._api = api
        self._url = url
        self._wait = SILENCE_SECONDS if follow else QUIET_SECONDS

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Runs of output, from its beginning, until its end or a silence.

        Raises:
            Unavailable: The connection broke, or could not be made.
        """
        from websockets.asyncio.client import connect  # noqa: PLC0415 - after the handshake
        from websockets.exceptions import (  # noqa: PLC0415 - after the handshake
            ConnectionClosedOK,
            WebSocketException,
        )

        url = _websocket(self._url)
        # It tells each request and frame at the level DEBUG, and the address has a token.
        logger = logging.getLogger("websockets.client.quiet")
        logger.setLevel(logging.CRITICAL)
        try:
            async with connect(
                url,
                ssl=self._api.tls if url.startswith("wss:") else None,
                open_timeout=_OPEN_SECONDS,
                ping_interval=_PING_SECONDS,
                ping_timeout=_PING_SECONDS,
                close_timeout=1.0,
                max_size=16 * 1024 * 1024,
                logger=logger,
            ) as connection:
                while data := await self._more(connection):
                    yield data
        except ConnectionClosedOK as error:
            # 1001 is a server that goes away, which says nothing of the output.
            self.ended = error.rcvd is not None and error.rcvd.code == 1000
        except (WebSocketException, OSError, TimeoutError) as error:
            raise from_websocket(error, shown(url), _TRIED) from None

    async def _more(self, connection: ClientConnection) -> bytes:
        """What comes next, with what comes right after it; empty after a silence."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - after the handshake

        try:
            async with asyncio.timeout(self._wait):
                data = _text(await connection.recv())
                while not data:
                    data = _text(await connection.recv())
        except TimeoutError:
            return b""
        try:
            async with asyncio.timeout(_GATHER_SECONDS):
                while len(data) < _GATHER_BYTES:
                    data += _text(await connection.recv())
        except (TimeoutError, ConnectionClosed):
            # A close is told again by the next look.
            return data
        return data


def _text(frame: str | bytes) -> bytes:
    try:
        document = json.loads(frame)
    except ValueError:
        document = None
    match document:
        case {"data": str(text)}:
            # JSON can spell halves of characters, which no bytes can carry.
            return text.encode(errors="replace")
        case {}:
            return b""
    # Not shown: it is output, or has some in it.
    raise ProviderFailed(f"{_TRIED}: a frame of {len(frame)} characters is no JSON object")


def _websocket(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ProviderFailed(f"{_TRIED}: DigitalOcean gave an address that is none") from None
    scheme = "ws" if parts.scheme == "http" else "wss"
    return urlunsplit((scheme, *parts[1:4], ""))
