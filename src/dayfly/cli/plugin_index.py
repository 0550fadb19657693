"""``dayfly plugin index``: makes an index of a directory of archives, or checks one."""

from __future__ import annotations

from pathlib import Path

import click

from dayfly.cli.exits import FAILED
from dayfly.cli.printing import print_json, print_table, say, show
from dayfly.cli.settings import Settings, pass_settings, shared_options


@click.command("index")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where it is wrong.")
@click.option(
    "--base-url",
    default="",
    metavar="URL",
    help="Where the directory will be on the web; without it downloads are relative.",
)
@shared_options
@pass_settings
def plugin_index(settings: Settings, *, directory: Path, check: bool, base_url: str) -> int:
    """Make an index of the archives in DIRECTORY, in the form of workflow-registry.

    It looks into each archive as an installation would. `plugins/<name>/manifest.json` has
    the newest version of each plugin, `versions.json` beside it the others too, and
    `index.json` all plugins, for search.
    """
    if check:
        return _check(settings, directory)
    from dayfly.host.packages.indexing import build_index  # noqa: PLC0415 - not for --help

    built = build_index(directory, base_url)
    for path in built.older:
        say(f"{path.name} is not the newest version, and installed by NAME@VERSION alone")
    if settings.json:
        print_json({"plugins": list(built.entries.values()), "older": list(map(str, built.older))})
        return 0
    rows = [
        [name, entry["version"], ", ".join(f"{d['os']}/{d['arch']}" for d in entry["downloads"])]
        for name, entry in built.entries.items()
        if "downloads" in entry
    ]
    print_table(["PLUGIN", "VERSION", "FOR"], rows)
    return 0


def _check(settings: Settings, directory: Path) -> int:
    from dayfly.host.packages.index_check import faults_of  # noqa: PLC0415 - not for --help

    faults = faults_of(directory)
    if settings.json:
        print_json({"ok": not faults, "faults": faults})
        return FAILED if faults else 0
    for fault in faults:
        show(fault)
    if not faults:
        show(f"{directory} holds what it says")
    return FAILED if faults else 0
