"""Is an installed plugin still what was installed? Asked at every start of one.

Only what a start needs is imported here. It costs one look for ``plugins.lock``, and where
the plugin is in it the reading of its files: about 10 ms for one of 10 MB.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dayfly.contract.errors import FailedPrecondition

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.host.packages.lock import LockedPlugin


def check_intact(directory: Path) -> None:
    """Refuse an installed plugin whose files are not those that were installed.

    One that was put there by hand is in no lock, and is not looked at.

    Raises:
        FailedPrecondition: A file differs, is missing or was added; naming it.
    """
    plugins = directory.parent
    if not os.access(plugins / "plugins.lock", os.F_OK):
        return
    what = _difference(plugins, directory)
    if not what:
        return
    # Another process may be replacing the plugin at this moment, or have died over it.
    from dayfly.host.packages.guard import held  # noqa: PLC0415 - rare
    from dayfly.host.packages.places import settle  # noqa: PLC0415 - rare

    settle(plugins)
    with held(plugins, shared=True):
        what = _difference(plugins, directory)
    if what:
        raise FailedPrecondition(
            f"plugin {directory.name!r} is not what was installed: {what}",
            advice=f"Install it again: dayfly plugin install {directory.name}",
        )


def difference(directory: Path, locked: LockedPlugin) -> str:
    """The first file that differs, in words; empty where there is none.

    What Python keeps in ``__pycache__`` is nobody's file.
    """
    there = file_digests(directory)
    for path in sorted(there.keys() | locked.files.keys()):
        if path not in there:
            return f"{directory / path} is missing"
        if path not in locked.files:
            return f"{directory / path} was added"
        if there[path] != locked.files[path]:
            return f"{directory / path} was changed"
    return ""


def file_digests(directory: Path) -> dict[str, str]:
    """Each file's SHA-256 by its path; of what is no file, a word that is no digest."""
    import hashlib  # noqa: PLC0415 - a plugin that nobody installed needs none

    found = {}
    for place, folders, files in os.walk(directory):
        # Python's own, of a module beside the program, from its first import on.
        folders[:] = [folder for folder in folders if folder != "__pycache__"]
        for name in (*files, *(f for f in folders if os.path.islink(os.path.join(place, f)))):  # noqa: PTH114, PTH118 - strings, on the fast path
            path = os.path.join(place, name)  # noqa: PTH118 - as above
            key = os.path.relpath(path, directory)
            if os.path.islink(path) or not os.path.isfile(path):  # noqa: PTH113, PTH114 - as above
                found[key] = "no regular file"
                continue
            try:
                with open(path, "rb") as file:  # noqa: PTH123 - as above
                    found[key] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                found[key] = f"not readable: {error.strerror}"
    return found


def _difference(plugins: Path, directory: Path) -> str:
    from dayfly.host.packages.lock import read_lock  # noqa: PLC0415 - where there is a lock

    locked = read_lock(plugins).get(directory.name)
    return difference(directory, locked) if locked else ""
