"""What an archive must hold to be installed: plugin.json and one program beside it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField
from dayfly.host.manifests import read_manifest

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.host.manifests import Manifest


def check_content(folder: Path, name: str, version: str) -> Manifest:
    """Look whether an unpacked archive can be installed as this plugin.

    A program that is called otherwise, as release tools do, gets the plugin's name.

    Args:
        folder: Where the archive's files are.
        name: Which plugin it should be.
        version: Which version, ``X.Y.Z``.

    Returns:
        Its plugin.json.

    Raises:
        InvalidField: It cannot.
    """
    if not (folder / "plugin.json").is_file():
        raise InvalidField(
            "the archive has no plugin.json, neither at its top nor in the one folder there",
            field="archive",
        )
    manifest = read_manifest(folder / "plugin.json")
    for field, said, wanted in (
        ("name", manifest.name, name),
        ("version", manifest.version, version),
    ):
        if said != wanted:
            raise InvalidField(
                f"the archive's plugin.json has the {field} {said!r}; expected: {wanted!r}",
                field=field,
            )
    if manifest.module:
        raise InvalidField(
            "the archive's plugin.json names a module of this machine's Python in "
            "dayfly.module; an archive brings its own program",
            field="dayfly.module",
        )
    _name_program(folder, name)
    return manifest


def _name_program(folder: Path, name: str) -> None:
    programs = [
        path for path in folder.iterdir() if path.is_file() and path.stat().st_mode & stat.S_IXUSR
    ]
    if folder / name in programs:
        return
    if len(programs) != 1 or (folder / name).exists():
        there = ", ".join(sorted(path.name for path in programs)) or "none"
        raise InvalidField(
            f"the archive has no executable {name!r} beside its plugin.json; executable are: "
            f"{there}",
            field="archive",
        )
    programs[0].rename(folder / name)
