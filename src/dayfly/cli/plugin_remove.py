"""``dayfly plugin remove``: takes out what ``install`` put in."""

from __future__ import annotations

import click

from dayfly.cli.printing import print_json, show
from dayfly.cli.settings import Settings, pass_settings, shared_options


@click.command("remove")
@click.argument("plugin", metavar="PLUGIN")
@shared_options
@pass_settings
def plugin_remove(settings: Settings, plugin: str) -> None:
    """Remove a plugin that was installed; one put there by hand is left alone."""
    from dayfly.host.discovery import plugins_dir  # noqa: PLC0415 - not needed for --help
    from dayfly.host.packages.naming import check_name  # noqa: PLC0415 - same
    from dayfly.host.packages.places import take_out  # noqa: PLC0415 - same

    place = plugins_dir()
    removed = take_out(place, check_name(plugin))
    if settings.json:
        print_json({"name": removed.name, "version": removed.version, "directory": str(place)})
    else:
        show(f"removed {removed.name} {removed.version} from {place}")
