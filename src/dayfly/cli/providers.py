"""``dayfly providers``: what ``--on`` takes here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.failures import failure_fields, say_failure
from dayfly.cli.printing import print_json, print_table, say
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.host import Config, InstalledPlugin, PluginList


@click.command()
@shared_options
@pass_settings
def providers(settings: Settings) -> None:
    """List what --on takes: configurations of dayfly.toml, and installed plugins."""
    from dayfly.host import list_plugins, load_config  # noqa: PLC0415 - not needed for --help

    config, installed = load_config(), list_plugins()
    if settings.json:
        print_json(_document(config, installed))
        return
    rows = [
        [_marked(name, config), provider.plugin, str(config.path)]
        for name, provider in config.providers.items()
    ]
    rows += [
        [_marked(plugin.name, config), f"{plugin.name} {plugin.manifest.version}", _about(plugin)]
        for plugin in installed.plugins
        if plugin.name not in config.providers
    ]
    print_table(["PROVIDER", "PLUGIN", "ABOUT"], rows)
    if "*" in "".join(row[0] for row in rows):
        say("* is used where --on is left out")
    for error in installed.broken:
        say_failure(error)


def _marked(name: str, config: Config) -> str:
    return f"{name} *" if name == config.default_provider else name


def _about(plugin: InstalledPlugin) -> str:
    return plugin.manifest.description or str(plugin.directory)


def _document(config: Config, installed: PluginList) -> dict[str, object]:
    return {
        "config": str(config.path) if config.path else None,
        "default": config.default_provider,
        "configured": [
            {"name": provider.name, "plugin": provider.plugin}
            for provider in config.providers.values()
        ],
        "installed": [
            {
                "name": plugin.name,
                "version": plugin.manifest.version,
                "author": plugin.manifest.author,
                "description": plugin.manifest.description,
                "services": list(plugin.manifest.services),
                "manifest": str(plugin.manifest_path),
            }
            for plugin in installed.plugins
        ],
        "broken": [failure_fields(error) for error in installed.broken],
    }
