"""What is in a plugins directory, and whether it is still what was installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dayfly.contract.errors import InvalidField
from dayfly.host.manifests import read_manifest
from dayfly.host.packages.guard import held
from dayfly.host.packages.integrity import difference
from dayfly.host.packages.lock import read_lock

if TYPE_CHECKING:
    from pathlib import Path


class Found(NamedTuple):
    """A plugin of a plugins directory.

    Attributes:
        name: Its directory's.
        version: By the lock, or by its plugin.json; empty where that cannot be read.
        installed: By dayfly; the others were put there by hand.
        changed: What differs from what was installed, in words; empty where nothing does.
        source: Where its archive came from.
        sha256: Of the archive.
    """

    name: str
    version: str
    installed: bool
    changed: str
    source: str
    sha256: str

    @property
    def state(self) -> str:
        """A word or two for a table."""
        return "installed" if self.installed else "put there by hand"


def found_in(plugins: Path) -> list[Found]:
    """Every plugin, by name.

    Raises:
        FailedPrecondition: ``plugins.lock`` is damaged.
        DeadlinePassed: Another process changes the directory and does not end.
    """
    if not plugins.is_dir():
        return []
    with held(plugins, shared=True):
        locked = read_lock(plugins)
        found = [
            Found(
                name=name,
                version=plugin.version,
                installed=True,
                changed=difference(plugins / name, plugin),
                source=plugin.source,
                sha256=plugin.sha256,
            )
            for name, plugin in locked.items()
        ]
        found += [
            Found(path.parent.name, _version(path), False, "", "", "")
            for path in plugins.glob("[!.]*/plugin.json")
            if path.parent.name not in locked
        ]
    return sorted(found)


def _version(path: Path) -> str:
    try:
        return read_manifest(path).version
    except InvalidField:
        return ""
