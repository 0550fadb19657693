"""Reading from the web: https only, at every hop, bounded in bytes and in time.

urllib of the standard library and no other client: a plugin is installed on a machine that
has dayfly and nothing more, and one file at a time needs neither pools nor HTTP/2. The
certificates are the system's, or those of SSL_CERT_FILE; HTTPS_PROXY and NO_PROXY hold.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from dayfly.contract.errors import DeadlinePassed, FailedPrecondition, NotFound, Unavailable
from dayfly.host.packages.files import copy_pieces
from dayfly.host.packages.timed import SILENCE_SECONDS, TimedHTTPS
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator


def require_https(url: str) -> None:
    """Refuse any other scheme; there is no option that allows one.

    Raises:
        FailedPrecondition: It is not https, is no URL, or has a password in it.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, good = None, False
    if parts and "@" in parts.netloc:
        raise FailedPrecondition(
            f"an address at {parts.hostname} is not read: there is a user or a password in it, "
            "which would be kept and shown with it"
        )
    if not good:
        raise FailedPrecondition(
            f"{url[:200]} is not read: only https:// is, because anybody on the way can change "
            "what comes by another way"
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise FailedPrecondition(
            f"{url[:200]} is not read: a character of it belongs into a URL as %XX alone"
        )


def copy(url: str, into: BinaryIO, *, max_bytes: int, seconds: float) -> int:
    """Copy what a URL holds into a file.

    Args:
        url: ``https://...``; a redirect to anything else is refused too.
        into: Open for writing.
        max_bytes: More than that is refused.
        seconds: For all of it.

    Returns:
        How many bytes it was.

    Raises:
        FailedPrecondition: It is not https, its certificate is not good, or it is too large.
        NotFound: There is nothing at this URL.
        Unavailable: It could not be reached, or the connection broke.
        DeadlinePassed: It took too long.
    """
    require_https(url)
    with _told(url, seconds):
        request = urllib.request.Request(url, headers={"User-Agent": f"dayfly/{__version__}"})  # noqa: S310 - https, as checked
        with _opener(time.monotonic() + seconds).open(request) as answer:
            total = copy_pieces(answer.read1, into, max_bytes, url)
            # read1 ends without a word where the connection does.
            if answer.length:
                raise Unavailable(f"{url} ended {answer.length} bytes early")
    return total


def _opener(deadline: float) -> urllib.request.OpenerDirector:
    """Handlers for https alone: the usual opener also reads http, ftp and local files."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        TimedHTTPS(deadline),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, *rest: Any) -> Any:
        """As urllib does it, to https alone."""
        require_https(rest[-1])
        return super().redirect_request(req, *rest)

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        """As urllib does it; an answer whose redirect is refused is closed."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except (FailedPrecondition, ValueError):
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


@contextmanager
def _told(url: str, seconds: float) -> Iterator[None]:
    """What the library raises, as errors of ours."""
    began = time.monotonic()
    try:
        yield
    except urllib.error.HTTPError as error:
        with error:
            message = f"{url} answered {error.code} {error.reason}"
        if error.code in {404, 410}:
            raise NotFound(message) from error
        raise (Unavailable if error.code >= 500 else FailedPrecondition)(message) from error
    # ValueError: a redirect to what is no URL.
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        if isinstance(cause, TimeoutError):
            if time.monotonic() - began >= seconds:
                raise DeadlinePassed(f"{url} was not read whole within {seconds:g} s") from error
            raise DeadlinePassed(f"{url} did not answer within {SILENCE_SECONDS:g} s") from error
        if type(cause).__name__ == "SSLCertVerificationError":
            raise FailedPrecondition(
                f"{url}: its certificate is not good: {getattr(cause, 'verify_message', cause)}",
                advice="Where your own authority signs it, name its file in SSL_CERT_FILE.",
            ) from error
        raise Unavailable(f"{url} could not be read: {cause}") from error
