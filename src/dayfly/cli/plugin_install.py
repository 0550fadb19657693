"""``dayfly plugin install``: from an index into the plugins directory."""

from __future__ import annotations

import click

from dayfly.cli.plugin_source import index_option
from dayfly.cli.printing import print_json, say, show
from dayfly.cli.settings import Settings, pass_settings, shared_options


@click.command("install")
@click.argument("plugin", metavar="PLUGIN")
@index_option
@shared_options
@pass_settings
def plugin_install(settings: Settings, plugin: str, index: str) -> None:
    """Install a plugin of an index, or replace it with the version that the index has.

    PLUGIN is its name, or NAME@X.Y.Z for another version that the index has. The archive's
    SHA-256 must be the one in the index. The former version stays until the
    new one is in its place, and comes back if anything goes wrong.
    """
    from dayfly.host.packages.indexes import Index  # noqa: PLC0415 - not needed for --help
    from dayfly.host.packages.install import install  # noqa: PLC0415 - same

    done = install(Index(index), plugin, say)
    if settings.json:
        print_json(
            {
                "name": done.plugin.name,
                "version": done.plugin.version,
                "former_version": done.former or None,
                "changed": done.changed,
                "directory": str(done.directory),
                "source": done.plugin.source,
                "sha256": done.plugin.sha256,
            }
        )
        return
    named = f"{done.plugin.name} {done.plugin.version}"
    if not done.changed:
        show(f"{named} is installed already, in {done.directory}")
        return
    instead = f" instead of {done.former}" if done.former else ""
    show(f"installed {named}{instead} into {done.directory}")
    show(f"sha256 {done.plugin.sha256}")
