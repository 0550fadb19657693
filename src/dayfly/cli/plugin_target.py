"""The plugin that a command is about: by name, by path or, not yet installed, by module."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dayfly.host import InstalledPlugin, PluginConnection

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")


class Target(NamedTuple):
    """What to start, and with what.

    Attributes:
        plugin: It has been found, not started.
        config: What it is initialized with.
        pass_env: Variables that it inherits beyond the usual.
    """

    plugin: InstalledPlugin
    config: Mapping[str, object]
    pass_env: tuple[str, ...]


def configuration_option(command: F) -> F:
    """Add ``--on``: a plugin may need a configuration before it serves anything."""
    return click.option(
        "--on", default="", metavar="NAME", help="Take the configuration of this name."
    )(command)


def find_target(named: str, on: str) -> Target:
    """The plugin of this name, in this directory, or of this module of Python.

    Raises:
        NotFound: There is no such plugin or configuration.
        InvalidField: Something about it is wrong; naming the field.
    """
    from dayfly.host import find_plugin, load_config  # noqa: PLC0415 - not needed for --help

    config = load_config().provider(on) if on else None
    if os.sep in named or Path(named, "plugin.json").is_file():
        plugin = find_plugin(str(Path(named).absolute()))
    elif "." in named:
        plugin = _of_module(named)
    else:
        plugin = find_plugin(named)
    return Target(
        plugin=plugin,
        config=config.settings if config else {},
        pass_env=config.pass_env if config else (),
    )


def _of_module(module: str) -> InstalledPlugin:
    """A module that has no plugin.json yet; it says itself who it is."""
    from dayfly.host import InstalledPlugin, Manifest  # noqa: PLC0415 - not needed for --help

    if not all(part.isidentifier() for part in module.split(".")):
        raise InvalidField(
            f"plugin is {module[:120]!r}, which is neither a plugin's name, nor a path with a "
            "/ in it, nor a module of Python",
            field="plugin",
        )
    return InstalledPlugin(
        name=module,
        manifest_path=_directory_of(module) / "plugin.json",
        argv=(sys.executable, "-P", "-m", module),
        directory=Path.cwd(),
        manifest=Manifest(name=module, version="0.0.0", module=module),
    )


def _directory_of(module: str) -> Path:
    """Where a package is, without importing it."""
    from importlib.util import find_spec  # noqa: PLC0415 - a rare way to name a plugin

    top, *inner = module.split(".")
    spec = find_spec(top)
    for location in (spec and spec.submodule_search_locations) or ():
        if (place := Path(location, *inner)).is_dir():
            return place
        if place.with_suffix(".py").is_file():
            return place.parent
    return Path.cwd()


def with_plugin(target: Target, body: Callable[[PluginConnection], Awaitable[T]]) -> T:
    """Start the plugin, speak to it, and end it.

    Raises:
        ProviderFailed: It did not start as a plugin does.
        DayflyError: Whatever else it answers.
    """
    from dayfly.host import spawn  # noqa: PLC0415 - not needed for --help

    process = spawn(target.plugin, pass_env=target.pass_env)
    try:
        import asyncio  # noqa: PLC0415 - while the plugin starts

        from dayfly.host import connect  # noqa: PLC0415 - same

        async def whole() -> T:
            async with connect(process, config=target.config) as plugin:
                return await body(plugin)

        return asyncio.run(whole())
    except InvalidField as error:
        if not target.config and not error.advice:
            error.advice = "Where it needs a configuration, name one of dayfly.toml with --on."
        raise
    finally:
        process.close()
