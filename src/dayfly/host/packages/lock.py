"""``plugins.lock``: which plugins were installed, from where, and each file's SHA-256.

It finds a file that was changed by mistake, by a disk or by a program. Who may write in the
plugins directory may write this file too.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from dayfly.contract.errors import FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "plugins.lock"
VERSION = 1


class LockedPlugin(NamedTuple):
    """An installed plugin, as it was when it was installed.

    Attributes:
        name: Its name, and its directory's.
        version: ``X.Y.Z``.
        source: Where its archive came from.
        sha256: Of the archive.
        files: Path within the plugin's directory to the file's SHA-256.
    """

    name: str
    version: str
    source: str
    sha256: str
    files: dict[str, str]


def read_lock(plugins: Path) -> dict[str, LockedPlugin]:
    """Installed plugins by name; none where nothing was ever installed.

    Raises:
        FailedPrecondition: It is damaged. Then no plugin of this directory can be trusted.
    """
    path = plugins / NAME
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _damaged(path, error.strerror) from error
    try:
        return _parsed(json.loads(raw))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def write_lock(plugins: Path, locked: Mapping[str, LockedPlugin]) -> None:
    """Replace the file, whole; a reader sees the former one or this one.

    Raises:
        OSError: The system could not; then the former one is still there.
    """
    document = {
        "version": VERSION,
        "plugins": {
            name: {key: value for key, value in plugin._asdict().items() if key != "name"}
            for name, plugin in sorted(locked.items())
        },
    }
    path, new = plugins / NAME, plugins / f".{NAME}.new"
    with new.open("w", encoding="utf-8") as file:
        file.write(f"{json.dumps(document, indent=2)}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _parsed(document: Any) -> dict[str, LockedPlugin]:
    if document["version"] != VERSION:
        raise ValueError(f"version is {document['version']!r}, and not {VERSION}")
    return {
        str(name): LockedPlugin(
            name=str(name),
            version=str(fields["version"]),
            source=str(fields["source"]),
            sha256=str(fields["sha256"]),
            files={str(path): str(digest) for path, digest in fields["files"].items()},
        )
        for name, fields in document["plugins"].items()
    }


def _damaged(path: Path, what: object) -> FailedPrecondition:
    return FailedPrecondition(
        f"{path} is damaged: {what}",
        advice="Restore it; or remove it, and install again the plugins beside it.",
    )
