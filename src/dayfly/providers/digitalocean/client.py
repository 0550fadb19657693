"""Calls to DigitalOcean's API: one request each, paced, without retries, errors translated."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import FailedPrecondition, ProviderFailed
from dayfly.providers.digitalocean.errors import from_status, words_of
from dayfly.providers.digitalocean.way import from_transport, shown
from dayfly.sdk.pacing import Pacer, Rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import httpx

    from dayfly.providers.digitalocean.config import Config

#: 250 requests a minute and 5,000 an hour, bursts and what follows them taken together.
#: Source: docs.digitalocean.com/reference/api, "Rate limit".
RATES: Final = (Rate(100, 2.5), Rate(500, 1.25))

_CONNECT_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 30.0
_POOL_SECONDS: Final = 120.0
#: Of a request in all: an answer that comes in drops must end too.
_WHOLE_SECONDS: Final = 180.0


class AppPlatform:
    """One account's API.

    Attributes:
        url: Where it is.
    """

    def __init__(
        self,
        config: Config,
        token: Callable[[], Awaitable[str]],
        *,
        rates: Sequence[Rate] = RATES,
    ) -> None:
        """Take the settings; nothing is asked yet.

        Args:
            config: Where the API is.
            token: Finds the token, at the first request.
            rates: What requests are held to, each of them.
        """
        self.url = config.endpoint_url
        self._ca_file = config.ca_file
        self._find_token = token
        self._token = ""
        self._pacers = [Pacer(rate) for rate in rates]
        self._client: httpx.AsyncClient | None = None
        self._tls: ssl.SSLContext | None = None
        self._finding = asyncio.Lock()

    async def request(
        self,
        method: str,
        path: str,
        *,
        tried: str,
        json: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One request, and its answer.

        Args:
            method: Such as ``GET``.
            path: From ``/v2`` on.
            tried: What is being done, on what, for an error.
            json: The body.
            query: Parameters; a list repeats its name.

        Raises:
            DayflyError: As ``errors`` translates it.
        """
        import httpx  # noqa: PLC0415 - 100 ms, after the handshake

        headers = {"Authorization": f"Bearer {await self._bearer()}"}
        for pacer in self._pacers:
            await pacer.turn()
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                response = await self.http.request(
                    method, self.url + path, json=json, params=query, headers=headers
                )
        except (httpx.HTTPError, OSError) as error:
            raise from_transport(error, shown(self.url), tried) from _bare(error)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""  # It may have been replaced where it is kept.
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            for pacer in self._pacers:
                pacer.throttled()
        if not response.is_success:
            raise from_status(response.status_code, words_of(response), tried, response.headers)
        return _document(response, tried)

    @property
    def http(self) -> httpx.AsyncClient:
        """The connections, without a token: log archives are not DigitalOcean's API."""
        if self._client is None:
            import httpx  # noqa: PLC0415 - 100 ms, after the handshake

            # Both say every address that they open, and some carry a token in it.
            for name in ("httpx", "httpcore", "websockets"):
                logging.getLogger(name).setLevel(logging.WARNING)
            timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS, pool=_POOL_SECONDS)
            limits = httpx.Limits(max_connections=20, max_keepalive_connections=10)
            self._client = httpx.AsyncClient(verify=self.tls, timeout=timeout, limits=limits)
        return self._client

    @property
    def tls(self) -> ssl.SSLContext:
        """Whom to trust.

        Raises:
            FailedPrecondition: ``ca_file`` cannot be used.
        """
        if self._tls is None:
            try:
                self._tls = ssl.create_default_context(cafile=self._ca_file or None)
            except OSError as error:  # ssl.SSLError is one
                raise FailedPrecondition(
                    f"ca_file {self._ca_file!r} cannot be used: {error}", field="ca_file"
                ) from error
        return self._tls

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _bearer(self) -> str:
        async with self._finding:
            if not self._token:
                self._token = await self._find_token()
        return self._token


def _bare(error: Exception) -> Exception | None:
    """The cause to keep; httpx's own holds the request, and with it the token."""
    return error if isinstance(error, OSError) else None


def _document(response: httpx.Response, tried: str) -> dict[str, Any]:
    if not response.content:
        return {}
    try:
        document = response.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProviderFailed(f"{tried}: DigitalOcean's answer is no JSON object")
    return document
