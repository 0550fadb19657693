"""``dayfly plugin search``: what an index has."""

from __future__ import annotations

import click

from dayfly.cli.failures import failure_fields, say_failure
from dayfly.cli.plugin_source import index_option
from dayfly.cli.printing import print_json, print_table, say
from dayfly.cli.settings import Settings, pass_settings, shared_options


@click.command("search")
@click.argument("text", default="")
@index_option
@shared_options
@pass_settings
def plugin_search(settings: Settings, text: str, index: str) -> None:
    """List the plugins of an index, or those with TEXT in name, description or keywords."""
    from dayfly.host.packages.indexes import Index  # noqa: PLC0415 - not needed for --help

    listed, broken = Index(index).listed()
    word = text.casefold()
    found = [
        item
        for item in listed
        if word in " ".join((item.name, item.description, *item.keywords)).casefold()
    ]
    if settings.json:
        print_json(
            {
                "plugins": [
                    {
                        "name": item.name,
                        "version": item.version,
                        "type": item.kind,
                        "description": item.description,
                    }
                    for item in found
                ],
                "broken": [failure_fields(error) for error in broken],
            }
        )
        return
    print_table(
        ["PLUGIN", "VERSION", "TYPE", "ABOUT"],
        [[item.name, item.version, item.kind, item.description] for item in found],
    )
    if not found:
        say(f"nothing in {index} has {text!r} in it" if text else f"there is nothing in {index}")
    for error in broken:
        say_failure(error)
