"""``dayfly plugin new``: a provider to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from dayfly.cli.printing import print_json, say, show
from dayfly.cli.settings import Settings, pass_settings, shared_options


@click.command("new")
@click.argument("name")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The project's directory.  [default: ./dayfly-NAME]",
)
@shared_options
@pass_settings
def plugin_new(settings: Settings, *, name: str, directory: Path | None) -> None:
    """Write a provider as a Python package that passes the conformance kit as it is.

    A stand-in for the runner runs its jobs, as processes of this machine. Fill it in file by
    file; its README says how.
    """
    from dayfly.host.packages.scaffold import write_provider  # noqa: PLC0415 - not for --help

    place = directory or Path(f"dayfly-{name}")
    written = write_provider(name, place)
    if settings.json:
        print_json({"directory": str(place), "files": [str(path) for path in written]})
        return
    for path in written:
        show(str(path))
    say(f"next: pip install -e '{place}[test]', then dayfly conformance {name}")
