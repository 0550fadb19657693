"""What ``[providers.NAME]`` may say for this plugin, checked as it comes in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.contract.errors import InvalidField

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
    for key in document:
        if key not in _KEYS:
            raise InvalidField(
                f"{key!r} is no setting of the local provider; allowed: {', '.join(_KEYS)}",
                field=key,
            )
    return Config(state_dir=_state_dir(document), secrets=_secrets(document))


def default_state_dir() -> Path:
    """Where dayfly keeps its state when no configuration says."""
    if named := os.environ.get("DAYFLY_STATE_DIR"):
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 - not needed where the directory is named

    return platformdirs.user_state_path("dayfly").absolute()


def _state_dir(document: Mapping[str, object]) -> Path:
    value = document.get("state_dir", "")
    if not isinstance(value, str) or "\0" in value:
        raise InvalidField(f"state_dir is {value!r}; allowed: a path", field="state_dir")
    if not value:
        return default_state_dir()
    path = Path(value).expanduser()
    if not path.is_absolute():
        raise InvalidField(
            f"state_dir is {value!r}; allowed: an absolute path, or one from ~", field="state_dir"
        )
    return path


def _secrets(document: Mapping[str, object]) -> dict[str, str]:
    table = document.get("secrets", {})
    if not isinstance(table, Mapping):
        raise InvalidField("secrets is no table of names to references", field="secrets")
    for name, reference in table.items():
        if not isinstance(reference, str):
            # Not shown: people paste values where references belong.
            raise InvalidField(f"secrets.{name} is no text", field=f"secrets.{name}")
    return dict(table)
