"""What the engine and the way to it say, in dayfly's errors. The only place that knows both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec
    from dayfly.providers.docker.contexts import Endpoint

_BY_STATUS: dict[int, type[DayflyError]] = {
    400: InvalidField,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    429: Throttled,
    501: FailedPrecondition,
    503: Unavailable,
}

#: What the engine complains of, to the field that it means.
_FIELDS = (
    (r"range of cpus|nanocpus|cpu cfs", "resources.cpus"),
    (r"memory limit|memory\+swap", "resources.memory_mib"),
    (r"platform", "platform"),
    (r"unable to find (user|group)|no matching entries in (passwd|group)|uids and gids", "user"),
    (r"working directory|chdir to cwd|\bcwd\b", "working_dir"),
    (r"network .*not found|network mode|joining network", "network"),
    (r"invalid reference format|repository name", "image"),
    (r"no command specified", "command"),
    (r"environment", "env"),
)
_NOT_EXECUTABLE = (
    r"executable file not found|exec: |no such file or directory|permission denied|"
    r"exec format error|is a directory"
)

_UNREACHABLE = (
    r"no such host|connection refused|i/o timeout|timeout|network is unreachable|temporary failure|"
    r"server misbehaving|request canceled|tls handshake|connection reset|no route to host|eof$"
)


def from_status(status: int, words: str, tried: str) -> DayflyError:
    """An answer that is none of the expected ones."""
    kind = _BY_STATUS.get(status, ProviderFailed)
    return kind(f"{tried}: the engine answered {status}: {words}")


def from_transport(error: Exception, endpoint: Endpoint, tried: str) -> DayflyError:
    """A failure on the way to the engine.

    Args:
        error: As h11 or the system raised it.
        endpoint: Where the engine was looked for.
        tried: What was being done.
    """
    where = f"the Docker Engine at {endpoint.url} (from {endpoint.why})"
    words = str(error) or type(error).__name__
    cause = _system_error(error)
    if isinstance(cause, PermissionError):
        return PermissionDenied(
            f"{tried}: no permission to talk to {where}: {words}",
            advice=f"Join the group that owns {endpoint.socket} (`sudo usermod -aG docker $USER`, "
            "then log in again), or use a rootless engine.",
        )
    if isinstance(error, TimeoutError):
        return DeadlinePassed(
            f"{tried}: {where} gave no answer in time",
            advice="See whether the engine is overloaded: `docker info`.",
        )
    if isinstance(cause, FileNotFoundError | ConnectionRefusedError):
        return Unavailable(
            f"{tried}: {where} is not there: {words}",
            advice="Start it (`sudo systemctl start docker`), or name another one with "
            "DOCKER_HOST, DOCKER_CONTEXT or the settings host and context.",
        )
    return Unavailable(
        f"{tried}: {where} cannot be reached: {words}",
        advice="See that it runs and that the address and its TLS settings are right.",
    )


def _system_error(error: BaseException) -> BaseException | None:
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, OSError):
        seen = seen.__cause__ or seen.__context__
    return seen


def refused_create(words: str) -> DayflyError:
    """The engine did not make the container; nothing was created."""
    said = f"the engine refused to create the container: {words}"
    if field := _field_in(words):
        return InvalidField(said, field=field, reason=Reason.NEVER_STARTED)
    return ProviderFailed(said, reason=Reason.PROVIDER_ERROR)


def refused_start(words: str, spec: JobSpec) -> DayflyError:
    """The container could not be started, and was removed."""
    said = f"the container of image {spec.image!r} could not be started: {words}"
    if field := _field_in(words):
        return InvalidField(said, field=field, reason=Reason.NEVER_STARTED)
    if re.search(_NOT_EXECUTABLE, words, re.IGNORECASE):
        field = "entrypoint[0]" if spec.entrypoint else "command[0]"
        return InvalidField(
            said,
            field=field,
            reason=Reason.NEVER_STARTED,
            advice="See that the program is in the image and executable; a shell's line needs "
            "`sh -c`.",
        )
    return ProviderFailed(said, reason=Reason.NEVER_STARTED)


def _field_in(words: str) -> str:
    found = (field for pattern, field in _FIELDS if re.search(pattern, words, re.IGNORECASE))
    return next(found, "")


def refused_pull(words: str, image: str, platform: str) -> DayflyError:
    """The image could not be had, and why."""
    said = f"the image {image!r} could not be pulled: {words}"
    reason = Reason.IMAGE_UNAVAILABLE
    text = words.lower()
    if re.search(r"no matching manifest|does not match the (specified|detected)", text):
        wanted = platform or "the engine's platform"
        return InvalidField(
            said,
            field="platform" if platform else "image",
            reason=reason,
            advice=f"The image is not made for {wanted}; name one that is, or another --platform.",
        )
    if re.search(r"unauthorized|access denied|authentication required|denied:|no basic auth", text):
        return Unauthenticated(
            said,
            field="image",
            reason=reason,
            advice="See that the name is right; for a private image run `docker login` first.",
        )
    if re.search(r"toomanyrequests|rate limit", text):
        return Throttled(said, field="image", reason=reason, advice="`docker login` lifts limits.")
    if re.search(_UNREACHABLE, text):
        return FailedPrecondition(
            said,
            field="image",
            reason=reason,
            advice="The engine cannot reach the registry: see its network, DNS and proxy, or load "
            "the image with `docker load`.",
        )
    if re.search(r"not found|manifest unknown|does not exist|name unknown|invalid", text):
        return NotFound(
            said, field="image", reason=reason, advice="See that the name and the tag are right."
        )
    return FailedPrecondition(said, field="image", reason=reason)


def other_intent(name: str) -> AlreadyExists:
    """The key's container was made for another job."""
    return AlreadyExists(
        f"the key already has the container {name}, which was made for a different job",
        field="key",
        advice="Use a new key for a new job, or the same job with this key.",
    )
