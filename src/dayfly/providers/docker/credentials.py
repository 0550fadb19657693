"""What the docker CLI knows of a registry: plain entries and credential helpers."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import Unauthenticated
from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCKER_HUB: Final = "https://index.docker.io/v1/"
_HELPER_SECONDS: Final = 20.0
_HELPER_NAME = re.compile(r"[A-Za-z0-9._-]+")


def registry_of(image: str) -> str:
    """The registry that an image reference means, as docker's config.json names it."""
    first, slash, _ = image.partition("/")
    named = bool(slash) and (("." in first) or (":" in first) or first == "localhost")
    if not named or first in {"docker.io", "index.docker.io"}:
        return DOCKER_HUB
    return first


async def registry_auth(image: str, config: Mapping[str, object]) -> str:
    """The X-Registry-Auth header for an image; empty where nothing is known.

    Args:
        image: The image reference.
        config: docker's config.json.

    Raises:
        Unauthenticated: A credential helper is named and cannot be asked.
    """
    registry = registry_of(image)
    helper = _helper_for(registry, config)
    known = await _ask(helper, registry) if helper else _plain(registry, config)
    if not known:
        return ""
    document = json.dumps({**known, "serveraddress": registry})
    return base64.urlsafe_b64encode(document.encode()).decode()


def _helper_for(registry: str, config: Mapping[str, object]) -> str:
    helpers = config.get("credHelpers")
    named = helpers.get(registry) if isinstance(helpers, dict) else None
    store = named or config.get("credsStore")
    return store if isinstance(store, str) else ""


def _plain(registry: str, config: Mapping[str, object]) -> dict[str, str]:
    auths = config.get("auths")
    if not isinstance(auths, dict):
        return {}
    for name, entry in auths.items():
        if _bare(name) == _bare(registry) and isinstance(entry, dict):
            return _entry(entry)
    return {}


def _bare(registry: str) -> str:
    return registry.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _entry(entry: Mapping[str, object]) -> dict[str, str]:
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return {"identitytoken": token}
    if isinstance(auth := entry.get("auth"), str) and auth:
        try:
            user, _, password = base64.b64decode(auth).decode().partition(":")
        except ValueError:
            raise Unauthenticated(
                "an entry of auths in docker's config.json is not base64 of user:password",
                advice="Run `docker login` again.",
                reason=Reason.IMAGE_UNAVAILABLE,
            ) from None
        return {"username": user, "password": password}
    return {}


async def _ask(helper: str, registry: str) -> dict[str, str]:
    program = f"docker-credential-{helper}"
    if not _HELPER_NAME.fullmatch(helper):
        raise _unusable(program, "its name is not one of a credential helper")
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "get",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise _unusable(program, f"it cannot be run: {error}") from error
    try:
        async with asyncio.timeout(_HELPER_SECONDS):
            out, _ = await process.communicate(registry.encode())
    except TimeoutError:
        raise _unusable(program, f"it gave no answer in {_HELPER_SECONDS:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode and b"not found" in out:
        return {}
    return _answer(program, out, process.returncode or 0)


def _answer(program: str, out: bytes, code: int) -> dict[str, str]:
    # What it printed is not shown: it may hold the secret.
    if code:
        raise _unusable(program, f"it exited with {code}")
    try:
        document = json.loads(out)
    except ValueError:
        raise _unusable(program, "its answer is no JSON") from None
    match document:
        case {"Username": "<token>", "Secret": str(secret)}:
            return {"identitytoken": secret}
        case {"Username": str(user), "Secret": str(secret)}:
            return {"username": user, "password": secret}
    raise _unusable(program, "its answer has no Username and Secret")


def _unusable(program: str, why: str) -> Unauthenticated:
    return Unauthenticated(
        f"the credential helper {program} named in docker's config.json was of no use: {why}",
        advice=f"See that `{program} list` works, or remove it from the file.",
        reason=Reason.IMAGE_UNAVAILABLE,
    )
