"""What ``[providers.NAME]`` may say for this plugin, checked as it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dayfly.contract.errors import InvalidField


class Pull(StrEnum):
    """When an image is pulled."""

    MISSING = "missing"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one configuration.

    Attributes:
        host: The engine's address; empty leaves it to DOCKER_HOST and contexts.
        context: A docker context's name; excludes ``host``.
        pull: When an image is pulled.
        secrets: ``secret://`` names to references.
    """

    host: str = ""
    context: str = ""
    pull: Pull = Pull.MISSING
    secrets: Mapping[str, str] = field(default_factory=dict)


_KEYS = ("host", "context", "pull", "secrets")


def read_config(document: Mapping[str, object]) -> Config:
    """The settings of an Initialize call.

    Raises:
        InvalidField: A key is not known, or its value is not allowed.
    """
    for key in document:
        if key not in _KEYS:
            raise InvalidField(
                f"{key!r} is no setting of the docker provider; allowed: {', '.join(_KEYS)}",
                field=key,
            )
    host, context = _text(document, "host"), _text(document, "context")
    if host and context:
        raise InvalidField(
            f"both host ({host!r}) and context ({context!r}) are set; allowed: one of them",
            field="context",
        )
    return Config(host=host, context=context, pull=_pull(document), secrets=_secrets(document))


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key, "")
    if not isinstance(value, str):
        raise InvalidField(f"{key} is {value!r}; allowed: text", field=key)
    return value


def _pull(document: Mapping[str, object]) -> Pull:
    value = _text(document, "pull") or Pull.MISSING
    try:
        return Pull(value)
    except ValueError:
        raise InvalidField(f"pull is {value!r}; allowed: {', '.join(Pull)}", field="pull") from None


def _secrets(document: Mapping[str, object]) -> dict[str, str]:
    table = document.get("secrets", {})
    if not isinstance(table, Mapping):
        raise InvalidField("secrets is no table of names to references", field="secrets")
    for name, reference in table.items():
        if not isinstance(reference, str):
            # Not shown: people paste values where references belong.
            raise InvalidField(f"secrets.{name} is no text", field=f"secrets.{name}")
    return dict(table)
