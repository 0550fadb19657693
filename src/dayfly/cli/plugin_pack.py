"""``dayfly plugin pack``: a plugin as one file that runs elsewhere, in an archive."""

from __future__ import annotations

from pathlib import Path

import click

from dayfly.cli.plugin_target import find_target
from dayfly.cli.printing import print_json, say, show
from dayfly.cli.settings import Settings, pass_settings, shared_options


@click.command("pack")
@click.argument("plugin", metavar="PLUGIN")
@click.option(
    "--dir",
    "into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where to put the archive.  [default: here]",
)
@shared_options
@pass_settings
def plugin_pack(settings: Settings, *, plugin: str, into: Path) -> None:
    """Make one executable file of a plugin, and an archive of it and its plugin.json.

    PLUGIN is the name of an installed plugin or the path of its directory. A Python module
    is packed with what is installed here: its distribution, what that depends on, and
    dayfly. The archive is for this kind of machine and this version of Python, and the same
    bit by bit when it is made again.
    """
    from dayfly.host.packages.pack import pack  # noqa: PLC0415 - not needed for --help

    packed = pack(find_target(plugin, "").plugin, into)
    if settings.json:
        print_json(
            {
                "archive": str(packed.archive),
                "sha256": packed.sha256,
                "requirements": list(packed.requirements),
            }
        )
        return
    if packed.requirements:
        say(f"packed with {', '.join(packed.requirements)}")
    show(f"{packed.sha256}  {packed.archive}")
