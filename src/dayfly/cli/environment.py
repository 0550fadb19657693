"""Environment of a job, from flags and files, as ``docker run`` takes it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MAX_FILE_BYTES = 1 << 20


def job_environment(assignments: Iterable[str], files: Iterable[Path]) -> dict[str, str]:
    """Variables of the files in their order, then of the flags, which win.

    Raises:
        InvalidField: A file cannot be read, or a variable is not set here.
    """
    table: dict[str, str] = {}
    for path in files:
        table |= _read(path)
    for assignment in assignments:
        name, value = _assignment(assignment, field="env", where="--env")
        table[name] = value
    return table


def _read(path: Path) -> dict[str, str]:
    """``NAME=VALUE`` or ``NAME`` a line; ``#`` begins a comment line; quotes are content."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
        if len(raw) > _MAX_FILE_BYTES:
            raise InvalidField(
                f"--env-file {path} is over {_MAX_FILE_BYTES} bytes", field="env_file"
            )
        lines = raw.decode().splitlines()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InvalidField(f"--env-file {path}: {error}", field="env_file") from error
    entries = ((number, line.lstrip()) for number, line in enumerate(lines, 1))
    return dict(
        _assignment(line, field="env_file", where=f"{path}, line {number}")
        for number, line in entries
        if line and not line.startswith("#")
    )


def _assignment(text: str, *, field: str, where: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name:
        raise InvalidField(f"{where}: {text!r} has no name before '='", field=field)
    if equals:
        return name, value
    if name not in os.environ:
        raise InvalidField(
            f"{where}: {name} is not set here, so there is nothing to pass on",
            field=field,
            advice=f"Set {name}, or write {name}=VALUE; an empty value is {name}=.",
        )
    return name, os.environ[name]


def pairs(texts: Iterable[str], *, flag: str, field: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a table.

    Raises:
        InvalidField: One has no ``=``, or a name is given twice.
    """
    table: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            # The text is not shown: a value may stand where a reference belongs.
            shown = f"{name}=..." if name and equals else "it"
            raise InvalidField(f"{flag}: {shown} is not NAME=VALUE", field=field)
        if name in table:
            raise InvalidField(f"{flag}: {name} is given twice", field=field)
        table[name] = value
    return table
