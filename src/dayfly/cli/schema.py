"""``dayfly schema``: for editors."""

from __future__ import annotations

import click

from dayfly.cli.printing import print_json
from dayfly.cli.settings import shared_options


@click.command()
@shared_options
def schema() -> None:
    """Print the JSON Schema of dayfly.toml, for editors; it is JSON in either form."""
    from dayfly.host import config_schema  # noqa: PLC0415 - not needed for --help

    print_json(config_schema())
