"""What ``[providers.NAME]`` may say for this plugin, checked as it comes in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from dayfly.contract.errors import InvalidField
from dayfly.providers.digitalocean.references import (
    REGISTRIES,
    refuse_tokens,
    registry_references,
    token_reference,
)
from dayfly.providers.digitalocean.sizes import SLUGS
from dayfly.sdk.secrets import SecretResolver
from dayfly.sdk.settings import choice, flag, number, refuse_unknown, secret_names, text

API: Final = "https://api.digitalocean.com"
#: What an app's ``region`` may be. Source: DigitalOcean's OpenAPI definition, app_spec.
REGIONS: Final = ("atl", "nyc", "sfo", "tor", "ams", "fra", "lon", "blr", "sgp", "syd")
TAGS: Final = ("resolve", "refuse", "allow")
CPUS: Final = ("shared", "dedicated")

_PLAIN: Final[dict[str, str]] = {
    "token_env": r"[A-Za-z_][A-Za-z0-9_]*",
    "region": "|".join(REGIONS),
    "size": "|".join(map(re.escape, SLUGS)),
    "project_id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
_KEYS: Final = (
    *_PLAIN, "token", "endpoint_url", "ca_file", "cpu", "tags", "self_reported_exit",
    "log_drain_seconds", "registry_credentials", "registry_mirrors", "secrets",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one configuration.

    Attributes:
        token: Reference to the API token (``keyring:``, ``file:``, ``env:``, ``secret://``).
        token_env: Variable of the plugin's environment that has it; empty is
            DIGITALOCEAN_TOKEN, then DIGITALOCEAN_ACCESS_TOKEN.
        endpoint_url: Where the API is, instead of DigitalOcean.
        ca_file: Certificates to trust instead of the system's.
        region: Slug such as ``fra``; empty is the one nearest to whoever asks.
        project_id: Project that apps made here join; empty is the default one.
        size: Instance size of a job that asks for no resources.
        cpu: ``shared`` or ``dedicated``: from which sizes one is taken.
        tags: An image's tag is resolved to its digest, refused, or sent as it is.
        self_reported_exit: Have each command print its exit code as its last line.
        log_drain_seconds: How long after a job's end its output may still arrive.
        registry_credentials: Registry host to a reference to ``USER:PASSWORD``.
        registry_mirrors: Registry host to the address that is asked for digests instead.
        secrets: ``secret://`` names to references.
    """

    token: str = ""
    token_env: str = ""
    endpoint_url: str = API
    ca_file: str = ""
    region: str = ""
    project_id: str = ""
    size: str = ""
    cpu: str = "shared"
    tags: str = "resolve"
    self_reported_exit: bool = False
    log_drain_seconds: float = 15.0
    registry_credentials: Mapping[str, str] = field(default_factory=dict)
    registry_mirrors: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


def read_config(document: Mapping[str, object]) -> Config:
    """The settings of an Initialize call.

    Raises:
        InvalidField: A key is not known, or its value is not allowed.
    """
    refuse_unknown(document, _KEYS, "digitalocean")
    refuse_tokens(document)
    plain = {key: _shaped(document, key) for key in _PLAIN}
    secrets = secret_names(document)
    SecretResolver(secrets)  # Refuses a reference of no known form.
    config = Config(
        **plain,
        token=token_reference(document, secrets),
        endpoint_url=_endpoint(document),
        ca_file=text(document, "ca_file"),
        cpu=choice(document, "cpu", CPUS),
        tags=choice(document, "tags", TAGS),
        self_reported_exit=flag(document, "self_reported_exit"),
        log_drain_seconds=number(document, "log_drain_seconds", 15.0, least=0, most=600),
        registry_credentials=registry_references(document, secrets),
        registry_mirrors=_mirrors(document),
        secrets=secrets,
    )
    if config.token and config.token_env:
        raise InvalidField("both token and token_env are set; allowed: one", field="token_env")
    if config.cpu == "dedicated" and config.size.startswith("apps-s-"):
        raise InvalidField(f"size is {config.size!r}, and cpu is 'dedicated'", field="size")
    return config


def _shaped(document: Mapping[str, object], key: str) -> str:
    value = text(document, key)
    if value and not re.fullmatch(_PLAIN[key], value, re.ASCII):
        raise InvalidField(f"{key} is {value!r}; allowed: {_PLAIN[key]}", field=key)
    return value


def _endpoint(document: Mapping[str, object]) -> str:
    return _address(text(document, "endpoint_url") or API, "endpoint_url")


def _mirrors(document: Mapping[str, object]) -> dict[str, str]:
    table = document.get("registry_mirrors", {})
    if not isinstance(table, Mapping):
        raise InvalidField(
            "registry_mirrors is no table of registries to addresses", field="registry_mirrors"
        )
    for host in table:
        if host not in REGISTRIES:
            name = f"registry_mirrors.{host}"
            raise InvalidField(f"{name}: allowed: {', '.join(REGISTRIES)}", field=name)
    return {host: _address(value, f"registry_mirrors.{host}") for host, value in table.items()}


def _address(value: object, name: str) -> str:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        whole = bool(parts.hostname) and not re.search(r"\s", str(value)) and parts.port != 0
    except ValueError:
        whole, parts = False, urlsplit("")
    if not whole or parts.scheme != "https" or parts.query or parts.fragment or parts.username:
        # A token would go in the clear over http. Not shown: it may have a password.
        raise InvalidField(
            f"{name} is no address to send a token to; allowed: https, a host, and a port or path",
            field=name,
        )
    return str(value).rstrip("/")
