"""``dayfly rm``: what a job left behind goes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import DAYFLY_FAILED
from dayfly.cli.job_options import provider_option
from dayfly.cli.many import report, with_chosen
from dayfly.cli.naming import job_argument
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.errors import NotFound

if TYPE_CHECKING:
    from dayfly.jobs import Job


@click.command()
@job_argument(many=True)
@provider_option
@click.option("-f", "--force", is_flag=True, help="Stop a job first that still runs.")
@shared_options
@pass_settings
def rm(settings: Settings, selectors: tuple[str, ...], on: str, force: bool) -> int:
    """Remove what every JOB left at its provider, its output with it."""

    async def remove(job: Job) -> None:
        if force:
            with suppress(NotFound):  # What is gone already is what was asked for.
                await job.cancel()
        await job.delete()

    results = with_chosen(selectors, on, remove)
    removed = report(
        results,
        as_json=settings.json,
        fields=lambda job, _: {"name": job.name, "provider": job.provider, "removed": True},
        line=lambda job, _: job.name,
    )
    return 0 if len(removed) == len(results) else DAYFLY_FAILED
