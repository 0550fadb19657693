"""``dayfly plugin list``: what is in the plugins directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import FAILED
from dayfly.cli.printing import print_json, print_table
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.host.packages.listing import Found


@click.command("list")
@shared_options
@pass_settings
def plugin_list(settings: Settings) -> int:
    """List the plugins directory: what was installed, and what was put there by hand.

    Exits with 1 when an installed plugin is not what was installed. `dayfly providers`
    lists everything that --on takes.
    """
    from dayfly.host.discovery import plugins_dir  # noqa: PLC0415 - not needed for --help
    from dayfly.host.packages.listing import found_in  # noqa: PLC0415 - same

    place = plugins_dir()
    plugins = found_in(place)
    changed = any(plugin.changed for plugin in plugins)
    if settings.json:
        print_json(
            {
                "directory": str(place),
                "ok": not changed,
                "plugins": [_fields(plugin) for plugin in plugins],
            }
        )
    else:
        rows = [
            [
                plugin.name,
                plugin.version or "?",
                f"!{plugin.changed}" if plugin.changed else plugin.state,
                plugin.source,
            ]
            for plugin in plugins
        ]
        print_table(["PLUGIN", "VERSION", "STATE", "FROM"], rows)
    return FAILED if changed else 0


def _fields(plugin: Found) -> dict[str, object]:
    return {
        "name": plugin.name,
        "version": plugin.version or None,
        "installed": plugin.installed,
        "changed": plugin.changed or None,
        "source": plugin.source or None,
        "sha256": plugin.sha256 or None,
    }
