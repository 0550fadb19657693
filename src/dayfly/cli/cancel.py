"""``dayfly cancel``: a stop that is confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import DAYFLY_FAILED
from dayfly.cli.job_fields import chosen_fields, chosen_line
from dayfly.cli.job_options import provider_option
from dayfly.cli.many import report, with_chosen
from dayfly.cli.naming import job_argument
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobStatus
    from dayfly.jobs import Job


@click.command()
@job_argument(many=True)
@provider_option
@shared_options
@pass_settings
def cancel(settings: Settings, selectors: tuple[str, ...], on: str) -> int:
    """Stop every JOB, and wait until the provider confirms it.

    A job that has ended already stays as it ended, and is no failure.
    """

    async def stop(job: Job) -> JobStatus:
        return await job.cancel()

    results = with_chosen(selectors, on, stop)
    stopped = report(results, as_json=settings.json, fields=chosen_fields, line=chosen_line)
    return 0 if len(stopped) == len(results) else DAYFLY_FAILED
