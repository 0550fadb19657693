"""Output that was put away: files behind addresses that expire, read one after another."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from dayfly.contract.errors import Unavailable
from dayfly.providers.digitalocean.way import from_transport, shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from dayfly.providers.digitalocean.client import AppPlatform


async def archived(api: AppPlatform, urls: Sequence[str]) -> AsyncGenerator[bytes, None]:
    """All of the files, in their order.

    Raises:
        Unavailable: One cannot be read; a new address may be had.
    """
    import httpx  # noqa: PLC0415 - 100 ms, after the handshake

    tried = "reading archived output"
    # A live stream carries text alone: the same bytes must come of both, for one cursor.
    text = codecs.getincrementaldecoder("utf-8")("replace")
    for url in urls:
        try:
            # No token goes along: it is not DigitalOcean's API that answers there.
            async with api.http.stream("GET", url, follow_redirects=True) as answer:
                if not answer.is_success:
                    raise Unavailable(
                        f"{tried}: {shown(url)} answered {answer.status_code}",
                        advice="Its address may have expired; a new one is asked for.",
                    )
                async for chunk in answer.aiter_bytes(64 * 1024):
                    yield text.decode(chunk).encode()
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise from_transport(error, shown(url), tried) from None
    if rest := text.decode(b"", final=True):
        yield rest.encode()
