"""Where plugins are: with dayfly, in the plugins directory, or as installed packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dayfly.contract.errors import DayflyError, FailedPrecondition, InvalidField, NotFound
from dayfly.host.manifests import NAME, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRY_POINTS = "dayfly.plugins"
_BUILT_IN = Path(__file__).parent.parent / "providers"


class InstalledPlugin(NamedTuple):
    """A plugin that can be started.

    Attributes:
        name: Its name.
        manifest_path: Its plugin.json.
        argv: How to start it.
        directory: Where it is, and where it starts.
        manifest: What its plugin.json says.
    """

    name: str
    manifest_path: Path
    argv: tuple[str, ...]
    directory: Path
    manifest: Manifest


class PluginList(NamedTuple):
    """All plugins that there are, and what is wrong with the others."""

    plugins: tuple[InstalledPlugin, ...]
    broken: tuple[DayflyError, ...]


def find_plugin(name: str) -> InstalledPlugin:
    """The plugin of this name, or in this directory where there is a ``/`` in it.

    Built-in ones come first, then the plugins directory, then packages with an entry
    point in the group ``dayfly.plugins``. No package is imported.

    Raises:
        InvalidField: The name, or a field of the plugin's manifest, is not allowed.
        NotFound: There is none; the message lists those that there are.
        FailedPrecondition: Its executable is missing or may not be executed, or it was
            installed and its files are no longer those that were.
    """
    if os.sep in name and "\0" not in name:
        return _load(Path(name).absolute())
    if not NAME.fullmatch(name):
        raise InvalidField(
            f"plugin is {name[:120]!r}; allowed: 2 to 63 lower case letters, digits and "
            "hyphens, or a path with a / in it",
            field="plugin",
        )
    directory = _directory(name) or _installed_after_all(name)
    if directory is not None:
        return _load(directory, name)
    known = ", ".join(sorted({directory.name for directory in _all_places()})) or "none"
    raise NotFound(
        f"there is no plugin {name!r}; installed are: {known}",
        field="plugin",
        advice=f"Put one into {plugins_dir() / name}, or install a package that brings it.",
    )


def list_plugins() -> PluginList:
    """Every plugin that is installed; one that is broken does not hide the others."""
    plugins: dict[str, InstalledPlugin] = {}
    broken: list[DayflyError] = []
    for directory in _all_places():
        try:
            found = _load(directory)
        except DayflyError as error:
            broken.append(error)
        else:
            plugins.setdefault(found.name, found)
    return PluginList(
        plugins=tuple(plugins[name] for name in sorted(plugins)), broken=tuple(broken)
    )


def plugins_dir() -> Path:
    """Where third parties' plugins are: ``$DAYFLY_PLUGINS_DIR`` or the user's data."""
    chosen = os.environ.get("DAYFLY_PLUGINS_DIR")
    if chosen:
        return Path(chosen).absolute()
    from platformdirs import user_data_path  # noqa: PLC0415 - a built-in plugin needs none

    return user_data_path("dayfly") / "plugins"


def built_in(name: str) -> bool:
    """Whether a plugin of this name comes with dayfly, and so before any other."""
    return os.access(_BUILT_IN / name / "plugin.json", os.F_OK)


def _places(name: str) -> Iterator[Path]:
    yield _BUILT_IN / name
    yield plugins_dir() / name
    yield from (directory for entry, directory in _packages() if entry == name)


def _directory(name: str) -> Path | None:
    for directory in _places(name):
        if os.access(directory / "plugin.json", os.F_OK):
            return directory
    return None


def _installed_after_all(name: str) -> Path | None:
    """Where it is once no process replaces it: it may have been away when it was looked for."""
    from dayfly.host.packages.guard import held, once_held  # noqa: PLC0415 - rare
    from dayfly.host.packages.places import settle  # noqa: PLC0415 - rare

    plugins = plugins_dir()
    if not once_held(plugins):
        return None
    settle(plugins)
    with held(plugins, shared=True):
        there = os.access(plugins / name / "plugin.json", os.F_OK)
    return plugins / name if there else None


def _all_places() -> Iterator[Path]:
    for root in (_BUILT_IN, plugins_dir()):
        # What begins with a dot is being put there, or taken away.
        yield from sorted(path.parent for path in root.glob("[!.]*/plugin.json"))
    # Built-in plugins have entry points too, for other hosts; they are known already.
    yield from sorted(d for _, d in _packages() if d.parent != _BUILT_IN)


def _packages() -> Iterator[tuple[str, Path]]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - 20 ms that few need
    from importlib.util import find_spec  # noqa: PLC0415 - as above

    for entry in entry_points(group=ENTRY_POINTS):
        top, *inner = entry.module.split(".")
        # Only the top package's place is asked for: a dotted find_spec would import it.
        spec = find_spec(top)
        for location in (spec and spec.submodule_search_locations) or ():
            directory = Path(location, *inner)
            if os.access(directory / "plugin.json", os.F_OK):
                yield entry.name, directory


def _load(directory: Path, name: str = "") -> InstalledPlugin:
    path = directory / "plugin.json"
    if directory.parent != _BUILT_IN:
        from dayfly.host.packages.integrity import check_intact  # noqa: PLC0415 - built-in ones need none

        check_intact(directory)
    manifest = read_manifest(path)
    if name and manifest.name != name:
        raise InvalidField(
            f"{path}: name is {manifest.name!r}; allowed here: {name!r}", field="name"
        )
    return InstalledPlugin(
        name=manifest.name,
        manifest_path=path,
        argv=_argv(directory, manifest),
        directory=directory,
        manifest=manifest,
    )


def _argv(directory: Path, manifest: Manifest) -> tuple[str, ...]:
    if manifest.module:
        # -P: the plugin starts in its own directory, whose config.py and errors.py must
        # not stand in for modules of the same names elsewhere.
        return (sys.executable, "-P", "-m", manifest.module)
    program = directory / manifest.name
    if not program.is_file():
        raise FailedPrecondition(
            f"plugin {manifest.name!r} has no executable: {program} is not there",
            advice="Put the plugin's program there, or name its Python module in plugin.json.",
        )
    if not os.access(program, os.X_OK):
        raise FailedPrecondition(
            f"plugin {manifest.name!r} cannot be started: {program} is not executable",
            advice=f"chmod +x {program}",
        )
    return (str(program),)
