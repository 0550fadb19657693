"""Where the engine listens: the setting, DOCKER_HOST, or a docker context."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dayfly.contract.errors import FailedPrecondition, InvalidField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.providers.docker.config import Config

DEFAULT_SOCKET = "/var/run/docker.sock"
_CONTEXT_ADVICE = "`docker context ls` shows the contexts there are."


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An engine's address.

    Attributes:
        url: As it was given.
        why: What it was taken from, for a person.
        socket: Path of a unix socket; empty for TCP.
        host: Host name for TCP.
        port: Port for TCP.
        tls: Talk TLS.
        verify: Check the engine's certificate.
        certificates: Directory with ca.pem, cert.pem and key.pem; None without any.
    """

    url: str
    why: str
    socket: str = ""
    host: str = ""
    port: int = 0
    tls: bool = False
    verify: bool = True
    certificates: Path | None = None


def docker_config_dir(environment: Mapping[str, str]) -> Path:
    """Where the docker CLI keeps its configuration."""
    given = environment.get("DOCKER_CONFIG")
    return Path(given) if given else Path.home() / ".docker"


def read_docker_config(environment: Mapping[str, str]) -> dict[str, object]:
    """The docker CLI's config.json; empty where there is none.

    Raises:
        FailedPrecondition: It cannot be read.
    """
    path = docker_config_dir(environment) / "config.json"
    return _read_json(path) if path.exists() else {}


def find_endpoint(config: Config, environment: Mapping[str, str]) -> Endpoint:
    """The engine to talk to, as the docker CLI would choose it.

    Raises:
        InvalidField: The address is none, or of a kind that is not spoken.
        FailedPrecondition: The context is not there or cannot be read.
    """
    if config.host:
        return _from_url(config.host, "the setting host", environment)
    if config.context:
        return _from_context(config.context, "the setting context", environment)
    if host := environment.get("DOCKER_HOST"):
        return _from_url(host, "DOCKER_HOST", environment)
    if name := environment.get("DOCKER_CONTEXT"):
        return _from_context(name, "DOCKER_CONTEXT", environment)
    current = read_docker_config(environment).get("currentContext")
    if isinstance(current, str) and current:
        return _from_context(current, "currentContext of docker's config.json", environment)
    return _from_url(f"unix://{DEFAULT_SOCKET}", "the default", environment)


def _from_url(url: str, why: str, environment: Mapping[str, str]) -> Endpoint:
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    given = environment.get("DOCKER_CERT_PATH", "")
    certificates = Path(given) if given else docker_config_dir(environment)
    return parse_url(
        url,
        why,
        tls=verify or bool(environment.get("DOCKER_TLS")),
        verify=verify,
        certificates=certificates,
    )


def parse_url(
    url: str,
    why: str,
    *,
    tls: bool = False,
    verify: bool = True,
    certificates: Path | None = None,
) -> Endpoint:
    """An address as DOCKER_HOST spells it.

    Raises:
        InvalidField: Naming what is wrong with it.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix" and url.removeprefix("unix://").startswith("/"):
        return Endpoint(url=url, why=why, socket=url.removeprefix("unix://"))
    if parts.scheme == "ssh":
        raise InvalidField(
            f"the engine's address {url!r} (from {why}) is ssh, which dayfly does not speak",
            field="host",
            advice="Forward the socket (`ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST`) "
            "and set host to unix:///tmp/docker.sock.",
        )
    if parts.scheme not in {"tcp", "http", "https"} or not parts.hostname:
        raise InvalidField(
            f"the engine's address is {url!r} (from {why}); "
            "allowed: unix:///path or tcp://host:port",
            field="host",
        )
    secure = tls or parts.scheme == "https"
    return Endpoint(
        url=url,
        why=why,
        host=parts.hostname,
        port=_port(url, why) or (2376 if secure else 2375),
        tls=secure,
        verify=verify,
        certificates=certificates,
    )


def _port(url: str, why: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        raise InvalidField(
            f"the engine's address {url!r} (from {why}) has no usable port; allowed: 1 to 65535",
            field="host",
        ) from None


def _from_context(name: str, why: str, environment: Mapping[str, str]) -> Endpoint:
    if name == "default":
        host = environment.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"
        return _from_url(host, f"context 'default', {why}", environment)
    contexts = docker_config_dir(environment) / "contexts"
    digest = hashlib.sha256(name.encode()).hexdigest()
    path = contexts / "meta" / digest / "meta.json"
    if not path.exists():
        raise FailedPrecondition(
            f"there is no docker context {name!r} (from {why}): no {path}", advice=_CONTEXT_ADVICE
        )
    match _read_json(path):
        case {"Endpoints": {"docker": {"Host": str(host)} as docker}}:
            skip = docker.get("SkipTLSVerify") is True
        case _:
            raise FailedPrecondition(
                f"docker context {name!r} (from {why}) has no docker endpoint in {path}",
                advice=_CONTEXT_ADVICE,
            )
    material = contexts / "tls" / digest / "docker"
    certificates = material if material.is_dir() else None
    return parse_url(
        host,
        f"context {name!r}, {why}",
        tls=certificates is not None,
        verify=not skip,
        certificates=certificates,
    )


def _read_json(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FailedPrecondition(
            f"{path} cannot be read as JSON: {error}", advice="Repair or remove the file."
        ) from error
    if not isinstance(document, dict):
        raise FailedPrecondition(f"{path} is no JSON object", advice="Repair or remove the file.")
    return document
