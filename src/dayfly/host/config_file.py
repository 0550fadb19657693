"""Where the configuration is: ``$DAYFLY_CONFIG``, dayfly.toml, or pyproject.toml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound
from dayfly.host.config import FILE, Config, parse_config

MAX_BYTES = 1024 * 1024


def load_config(start: Path | None = None) -> Config:
    """Read ``$DAYFLY_CONFIG``, or the nearest dayfly.toml or pyproject.toml upward.

    A pyproject.toml counts where it has a table ``tool.dayfly``.

    Args:
        start: Where to begin; the current directory by default.

    Raises:
        NotFound: ``$DAYFLY_CONFIG`` names a file that is not there.
        FailedPrecondition: The current directory was removed.
        InvalidField: The file is no TOML, or a key in it is wrong; naming file and key.
    """
    chosen = os.environ.get("DAYFLY_CONFIG")
    if chosen:
        return _from_file(_existing(Path(chosen).absolute()))
    start = (start or _here()).absolute()
    for directory in (start, *start.parents):
        if os.access(directory / FILE, os.F_OK):
            return _from_file(directory / FILE)
        project = directory / "pyproject.toml"
        if os.access(project, os.F_OK) and b"dayfly" in _read(project):
            table = _toml(project).get("tool", {})
            if isinstance(table, dict) and "dayfly" in table:
                return _checked(project, table["dayfly"], "tool.dayfly.")
    return Config()


def _from_file(path: Path) -> Config:
    document = _toml(path)
    if path.name != "pyproject.toml":
        return _checked(path, document, "")
    table = document.get("tool", {})
    return _checked(
        path, table.get("dayfly", {}) if isinstance(table, dict) else {}, "tool.dayfly."
    )


def _checked(path: Path, document: object, prefix: str) -> Config:
    try:
        return parse_config(document, path)
    except InvalidField as error:
        raise InvalidField(
            f"{path}: {prefix}{error.message}", field=prefix + error.field, advice=error.advice
        ) from error


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise FailedPrecondition(
            "the current directory is no longer there", advice="Change into one that is."
        ) from error


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise NotFound(
            f"DAYFLY_CONFIG names {path}, and there is no such file", field="DAYFLY_CONFIG"
        )
    return path


def _toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - a run without a configuration file needs none

    try:
        return tomllib.loads(_read(path).decode())
    except (ValueError, RecursionError) as error:
        raise InvalidField(f"{path}: is not TOML: {error}", field="configuration") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidField(
            f"{path}: cannot be read: {error.strerror}", field="configuration"
        ) from error
    if len(raw) > MAX_BYTES:
        raise InvalidField(f"{path}: is over {MAX_BYTES} bytes", field="configuration")
    return raw
