"""From an installed plugin to its archive: one executable file, and its plugin.json."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dayfly.contract.errors import FailedPrecondition
from dayfly.host.packages.archives import archive_name
from dayfly.host.packages.closure import closure_of
from dayfly.host.packages.executable import require_packer, write_executable
from dayfly.host.packages.platforms import system_and_machine
from dayfly.host.packages.tarballs import write_tarball

if TYPE_CHECKING:
    from dayfly.host.discovery import InstalledPlugin


class Packed(NamedTuple):
    """What was made.

    Attributes:
        archive: ``<name>-<version>-<os>-<arch>.tar.gz``; its digest is beside it.
        sha256: Of the archive.
        requirements: Distributions that are in it.
    """

    archive: Path
    sha256: str
    requirements: tuple[str, ...]


def pack(plugin: InstalledPlugin, into: Path) -> Packed:
    """Make a plugin's archive for this kind of machine, and a file with its SHA-256.

    Args:
        plugin: A Python module is made into one file; a program is taken as it is.
        into: Directory; it is made where it is not there.

    Raises:
        FailedPrecondition: The packer is not installed, or something cannot be read or
            written.
        ProviderFailed: The packer failed.
    """
    manifest = plugin.manifest
    requirements: tuple[str, ...] = ()
    name = archive_name(manifest.name, manifest.version, *system_and_machine())
    if manifest.module:
        require_packer()
    with tempfile.TemporaryDirectory(prefix="dayfly-pack-") as directory:
        scratch = Path(directory)
        folder = scratch / manifest.name
        if manifest.module:
            folder.mkdir()
            closure = closure_of(manifest.name, manifest.module)
            requirements = closure.requirements
            write_executable(folder / manifest.name, manifest.module, closure, scratch)
        else:
            shutil.copytree(plugin.directory, folder, ignore=shutil.ignore_patterns(".*"))
        document = json.loads(plugin.manifest_path.read_bytes())
        text = json.dumps(_as_program(document), indent=2)
        (folder / "plugin.json").write_text(f"{text}\n", encoding="utf-8")
        try:
            into.mkdir(parents=True, exist_ok=True)
            # Written whole beside its place, and renamed.
            write_tarball(folder, into / f".{name}.new")
            digest = _digest(into / f".{name}.new")
            (into / f".{name}.new").replace(into / name)
            (into / f"{name}.sha256").write_text(f"{digest}  {name}\n", encoding="utf-8")
        except OSError as error:
            raise FailedPrecondition(f"{into / name} cannot be written: {error}") from error
    return Packed(into / name, digest, requirements)


def _as_program(document: dict[str, object]) -> dict[str, object]:
    """A plugin.json that names no module: the program beside it is what runs."""
    ours = document.get("dayfly")
    if not isinstance(ours, dict):
        return document
    kept = {key: value for key, value in ours.items() if key != "module"}
    rest = {key: value for key, value in document.items() if key != "dayfly"}
    return rest | ({"dayfly": kept} if kept else {})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
