"""What fails on the way to an address, in dayfly's errors. No address is shown with its query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from dayfly.contract.errors import Unavailable

if TYPE_CHECKING:
    from dayfly.contract.errors import DayflyError


def from_transport(error: Exception, where: str, tried: str) -> DayflyError:
    """A failure on the way.

    Args:
        error: As httpx, websockets or the system raised it.
        where: The address, without a query.
        tried: What was being done.
    """
    from httpx import ConnectError, ConnectTimeout, TimeoutException  # noqa: PLC0415 - after the handshake

    words = _without_queries(str(error)) or type(error).__name__
    if isinstance(error, ConnectError | ConnectTimeout):
        certificate = "certificate" in words.lower() or "ssl" in words.lower()
        return Unavailable(
            f"{tried}: {where} cannot be reached: {words}",
            advice="See that ca_file has the authority of that address."
            if certificate
            else "See the network, its DNS and proxy, and the setting endpoint_url.",
        )
    if isinstance(error, TimeoutException | TimeoutError):
        return Unavailable(
            f"{tried}: {where} gave no answer in time (the request may have been carried out)"
        )
    return Unavailable(
        f"{tried}: the connection to {where} broke: {words} (the request may have been carried out)"
    )


def from_websocket(error: Exception, where: str, tried: str) -> DayflyError:
    """A failure of a live stream; a new address may be had, so all of them may pass.

    Args:
        error: As websockets or the system raised it.
        where: The address, without a query.
        tried: What was being done.
    """
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return Unavailable(f"{tried}: {where} answered {status}")
    words = _without_queries(str(error)) or type(error).__name__
    return Unavailable(f"{tried}: the connection to {where} broke: {words}")


def shown(url: str) -> str:
    """An address for a person: without its query, which may carry a token."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return "an address that is none"


def _without_queries(text: str) -> str:
    return re.sub(r"\?[^\s'\"]*", "", text)
