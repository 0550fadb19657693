"""``dayfly prune``: what all ended jobs left behind goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.job_options import provider_option
from dayfly.cli.printing import print_json, print_table, say
from dayfly.cli.quantities import SECONDS
from dayfly.cli.session import start, within
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.api import Connection
    from dayfly.contract.provider import Leftover


@click.command()
@provider_option
@click.option("-n", "--dry-run", is_flag=True, help="Only show what would go.")
@click.option("--older-than", type=SECONDS, default=0, help="Only what ended at least so long ago.")
@shared_options
@pass_settings
def prune(settings: Settings, on: str, dry_run: bool, older_than: int) -> None:
    """Remove what ended jobs left at a provider. Jobs that run are not touched."""

    async def ask(provider: Connection) -> Sequence[Leftover]:
        return await provider.jobs.prune(dry_run=dry_run, older_than_seconds=older_than)

    gone = within(start(on), ask)
    if settings.json:
        leftovers = [{"kind": i.kind, "name": i.name, "detail": i.detail or None} for i in gone]
        print_json({"dry_run": dry_run, "leftovers": leftovers})
        return
    if gone:
        print_table(["KIND", "NAME", "DETAIL"], [[i.kind, i.name, i.detail] for i in gone])
    say(f"{len(gone)} {'would be removed' if dry_run else 'removed'}")
