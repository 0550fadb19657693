"""``dayfly plugin``: a group of its own for those who make plugins and those who get them."""

from __future__ import annotations

import click

from dayfly.cli.lazy import LazyGroup
from dayfly.cli.settings import shared_options

#: Command to what it does; ``list`` is ``plugin_list`` in the module ``plugin_list``.
COMMANDS = {
    "search": "Find plugins in an index.",
    "info": "Show what an index says of a plugin.",
    "install": "Install a plugin from an index.",
    "list": "List what was installed, and whether it is still intact.",
    "remove": "Remove a plugin that was installed.",
    "new": "Write a provider to begin with.",
    "manifest": "Write plugin.json from what a plugin serves.",
    "verify": "Hold a plugin.json against its plugin.",
    "pack": "Make one file of a plugin, and an archive.",
    "index": "Make an index of archives, or check one.",
}


@click.group(cls=LazyGroup, known=COMMANDS, prefix="plugin_")
@shared_options
def plugin() -> None:
    """Make, check, find and install plugins."""
