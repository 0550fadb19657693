"""What DigitalOcean answers when it refuses, in dayfly's errors."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import (
    AlreadyExists,
    Conflict,
    DayflyError,
    DeadlinePassed,
    FailedPrecondition,
    InvalidField,
    NotFound,
    PermissionDenied,
    ProviderFailed,
    Throttled,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_BY_STATUS: Final[dict[int, type[DayflyError]]] = {
    400: InvalidField,
    401: Unauthenticated,
    402: FailedPrecondition,
    403: PermissionDenied,
    404: NotFound,
    408: DeadlinePassed,
    409: Conflict,
    412: FailedPrecondition,
    422: InvalidField,
    423: Conflict,
    429: Throttled,
}

#: What DigitalOcean complains of, to the setting or the job's field that it means.
_FIELDS: Final = (
    (r"instance_size|instance size", "resources"),
    (r"registry_credentials", "registry_credentials"),
    (r"registry|repository|\bimage\b|\bdigest\b|\btag\b", "image"),
    (r"run_command", "command"),
    (r"grace_period|termination", "grace_period_seconds"),
    (r"\benvs?\b|environment variable|variable", "env"),
    (r"\bregion\b", "region"),
    (r"project", "project_id"),
    (r"app name|\bname\b", "name"),
)

_ADVICE: Final[dict[type[DayflyError], str]] = {
    Unauthenticated: "Give a valid API token: DIGITALOCEAN_TOKEN, or the setting token. "
    "`dayfly doctor` shows whom DigitalOcean sees.",
    PermissionDenied: "The token needs the scopes app:create, app:read, app:update, app:delete.",
}

_NAME_TAKEN: Final = r"already (exists|in use|taken)|name .*(taken|unique|not available)"
#: What else of a new app may be taken or not available.
_NOT_A_NAME: Final = r"image|registry|repository|region|size|domain"
_LONGEST_WAIT: Final = 3600.0


def from_status(
    status: int, words: str, tried: str, headers: Mapping[str, str] | None = None
) -> DayflyError:
    """An answer that is none of the expected ones.

    Args:
        status: HTTP status.
        words: DigitalOcean's own message.
        tried: What was being done, on what.
        headers: The answer's, which say how long to wait.
    """
    kind = _BY_STATUS.get(status) or (Unavailable if status >= 500 else ProviderFailed)
    said = f"{tried}: DigitalOcean answered {status}: {words}"
    if status >= 500:
        said += " (the request may have been carried out)"
    return kind(
        said,
        advice=_ADVICE.get(kind, ""),
        field=_field_in(words) if kind is InvalidField else "",
        retry_after_seconds=retry_after(headers or {}) if status in {429, 503} else None,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long DigitalOcean asks to wait, in seconds; None where it does not say.

    Source: docs.digitalocean.com/reference/api, "Rate limit": ``retry-after`` in seconds,
    ``ratelimit-reset`` in seconds since 1970, which counts only where nothing is left: it
    comes with each answer.
    """
    after, reset = headers.get("retry-after", ""), headers.get("ratelimit-reset", "")
    if after.isdecimal():
        return min(float(after), _LONGEST_WAIT)
    if headers.get("ratelimit-remaining") == "0" and reset.isdecimal():
        return min(max(int(reset) - time.time(), 0.0), _LONGEST_WAIT)
    return None


def is_name_taken(error: DayflyError) -> bool:
    """A create was refused because the app's name is in use.

    409 is what is documented for it; 400 and 422 with words that say so are taken too [?].
    """
    if isinstance(error, Conflict | AlreadyExists):
        return True
    taken, other = (
        re.search(pattern, error.message, re.IGNORECASE) for pattern in (_NAME_TAKEN, _NOT_A_NAME)
    )
    return isinstance(error, InvalidField) and taken is not None and other is None


def words_of(response: httpx.Response) -> str:
    """DigitalOcean's own message, or what stands in its place."""
    try:
        document = response.json()
    except ValueError:
        document = None
    match document:
        case {"id": str(short), "message": str(message)}:
            return f"{short}: {message}"
        case {"message": str(message)}:
            return message
    return response.text[:300].strip() or "nothing"


def _field_in(words: str) -> str:
    found = (field for pattern, field in _FIELDS if re.search(pattern, words, re.IGNORECASE))
    return next(found, "")
