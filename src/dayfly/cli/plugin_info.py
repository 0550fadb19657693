"""``dayfly plugin info``: all that an index says of a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.plugin_source import index_option
from dayfly.cli.printing import print_json, print_table
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.errors import DayflyError

if TYPE_CHECKING:
    from dayfly.host.packages.entries import Entry


@click.command("info")
@click.argument("plugin", metavar="PLUGIN")
@index_option
@shared_options
@pass_settings
def plugin_info(settings: Settings, plugin: str, index: str) -> None:
    """Show what an index says of a plugin, and whether it can be installed here.

    PLUGIN is its name, or NAME@X.Y.Z for another version than the index offers.
    """
    from dayfly.host.packages.entries import needs  # noqa: PLC0415 - not needed for --help
    from dayfly.host.packages.indexes import Index  # noqa: PLC0415 - same
    from dayfly.host.packages.naming import split_version  # noqa: PLC0415 - same

    entry = Index(index).entry(*split_version(plugin))
    why_not = _why_not(entry)
    if settings.json:
        print_json({**entry.document, "installable": not why_not, "why_not": why_not or None})
        return
    shown = ("author", "license", "tier", "status", "homepage", "repository")
    rows = [["plugin", f"{entry.name} {entry.version}"], ["about", entry.description]]
    rows += [[key, str(entry.document[key])] for key in shown if entry.document.get(key)]
    services = entry.document.get("capabilities", {}).get("serviceMethods", [])
    rows += [["service", service] for service in services]
    rows += [["needs", other] for other in needs(entry)]
    rows += [
        [word, item["name"]]
        for word in ("config", "secrets")
        for item in entry.document.get(f"required_{word}", ())
    ]
    rows += [
        ["download", f"{d.os}/{d.arch}  {d.sha256 or 'without a sha256'}  {d.url}"]
        for d in entry.downloads
    ]
    rows.append(["installs here", f"!{why_not}" if why_not else "yes"])
    print_table(["WHAT", "VALUE"], rows)


def _why_not(entry: Entry) -> str:
    from dayfly.host.packages.entries import download_for  # noqa: PLC0415 - as above
    from dayfly.host.packages.platforms import system_and_machine  # noqa: PLC0415 - as above

    try:
        download_for(entry, *system_and_machine())
    except DayflyError as error:
        return error.message
    return ""
