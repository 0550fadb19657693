"""What ``[providers.NAME]`` may say for this plugin, checked as it comes in."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField
from dayfly.sdk.settings import refuse_unknown, secret_names, text

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = ("state_dir", "secrets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one configuration.

    Attributes:
        state_dir: Where jobs are kept; by default DAYFLY_STATE_DIR, or where the platform
            keeps a user's state.
        secrets: ``secret://`` names to references.
    """

    state_dir: Path
    secrets: Mapping[str, str] = field(default_factory=dict)


def read_config(document: Mapping[str, object]) -> Config:
    """The settings of an Initialize call.

    Raises:
        InvalidField: A key is not known, or its value is not allowed.
    """
    refuse_unknown(document, _KEYS, "local")
    return Config(state_dir=_state_dir(document), secrets=secret_names(document))


def default_state_dir() -> Path:
    """Where dayfly keeps its state when no configuration says."""
    if named := os.environ.get("DAYFLY_STATE_DIR"):
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 - not needed where the directory is named

    return platformdirs.user_state_path("dayfly").absolute()


def _state_dir(document: Mapping[str, object]) -> Path:
    value = text(document, "state_dir")
    if not value:
        return default_state_dir()
    path = Path(value).expanduser()
    if not path.is_absolute():
        raise InvalidField(
            f"state_dir is {value!r}; allowed: an absolute path, or one from ~", field="state_dir"
        )
    return path
