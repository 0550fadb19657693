"""What ``[providers.NAME]`` may say for this plugin, checked as it comes in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField
from dayfly.sdk.settings import refuse_unknown, secret_names, text

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    refuse_unknown(document, _KEYS, "docker")
    host, context = text(document, "host"), text(document, "context")
    if host and context:
        raise InvalidField(
            f"both host ({host!r}) and context ({context!r}) are set; allowed: one of them",
            field="context",
        )
    return Config(host=host, context=context, pull=_pull(document), secrets=secret_names(document))


def _pull(document: Mapping[str, object]) -> Pull:
    value = text(document, "pull") or Pull.MISSING
    try:
        return Pull(value)
    except ValueError:
        raise InvalidField(f"pull is {value!r}; allowed: {', '.join(Pull)}", field="pull") from None
