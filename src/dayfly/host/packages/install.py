"""From an index into the plugins directory: every step checked before the next."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dayfly.contract.errors import AlreadyExists, FailedPrecondition
from dayfly.host.discovery import built_in, plugins_dir
from dayfly.host.packages.content import check_content
from dayfly.host.packages.entries import download_for, needs
from dayfly.host.packages.integrity import difference, file_digests
from dayfly.host.packages.lock import LockedPlugin, read_lock
from dayfly.host.packages.naming import split_version
from dayfly.host.packages.places import NEW, put
from dayfly.host.packages.platforms import system_and_machine
from dayfly.host.packages.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.host.packages.entries import Download
    from dayfly.host.packages.indexes import Index


class Installed(NamedTuple):
    """What came of an installation.

    Attributes:
        plugin: As it is in the lock.
        directory: Where it is.
        former: Version that it took the place of; empty where there was none.
        changed: False where it was there already, and intact.
    """

    plugin: LockedPlugin
    directory: Path
    former: str
    changed: bool


def install(index: Index, plugin: str, tell: Callable[[str], None]) -> Installed:
    """Install a plugin, or leave things as they are.

    Args:
        index: Where it is found.
        plugin: Its name; or ``NAME@X.Y.Z``, for another version than the index offers.
        tell: Called with a sentence before each step that may take its time, and with what
            the plugin needs beside it.

    Raises:
        NotFound: It is not in the index, not in this version, or not for this kind of machine.
        AlreadyExists: The name is that of a built-in plugin, or of one put there by hand.
        FailedPrecondition: The archive has no digest or another one, or cannot be put there.
        InvalidField: The entry, the archive or its plugin.json is wrong.
        DayflyError: The index or the archive could not be read.
    """
    name, version = split_version(plugin)
    entry = index.entry(name, version)
    if built_in(name):
        raise AlreadyExists(f"plugin {name!r} comes with dayfly, and would hide the installed one")
    download = download_for(entry, *system_and_machine())
    plugins = plugins_dir()
    former = read_lock(plugins).get(name)
    if former and former.sha256 == download.sha256 and not difference(plugins / name, former):
        return Installed(former, plugins / name, former.version, changed=False)
    tell(f"downloading {name} {entry.version} from {download.url}")
    with _private_directory(plugins, name) as private:
        place = Path(private)
        source = _copy(index, download, place / "archive")
        (place / "content").mkdir()
        folder = unpack(place / "archive", place / "content")
        check_content(folder, entry.name, entry.version)
        new = LockedPlugin(name, entry.version, source, download.sha256, file_digests(folder))
        put(plugins, folder, new)
    if others := ", ".join(needs(entry)):
        tell(f"{name} says that it needs {others}: dayfly installs no plugin because of another")
    return Installed(new, plugins / name, former.version if former else "", changed=True)


def _copy(index: Index, download: Download, archive: Path) -> str:
    with archive.open("xb") as file:
        source = index.source.copy(download, file)
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != download.sha256:
        raise FailedPrecondition(
            f"{source} is not what the index promises: its sha256 is {digest}, and should be "
            f"{download.sha256}; nothing of it was unpacked",
            advice="Try again; if it stays so, tell whoever keeps the index.",
        )
    return source


class _private_directory:  # noqa: N801 - used as a context manager
    """Beside the plugin's place, so that a rename moves it there; closed to others."""

    def __init__(self, plugins: Path, name: str) -> None:
        self._plugins, self._name = plugins, name

    def __enter__(self) -> str:
        try:
            self._plugins.mkdir(parents=True, exist_ok=True)
            self._path = tempfile.mkdtemp(prefix=f"{NEW}{self._name}-", dir=self._plugins)
        except OSError as error:
            raise FailedPrecondition(
                f"{self._plugins} cannot be written: {error.strerror}",
                advice="Choose another directory with DAYFLY_PLUGINS_DIR.",
            ) from error
        return self._path

    def __exit__(self, *_: object) -> None:
        if os.path.lexists(self._path):
            shutil.rmtree(self._path, ignore_errors=True)
