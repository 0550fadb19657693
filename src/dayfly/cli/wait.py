"""``dayfly wait``: until jobs have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import DAYFLY_FAILED, exit_code_for
from dayfly.cli.job_fields import chosen_fields, chosen_line
from dayfly.cli.job_options import provider_option
from dayfly.cli.many import report, with_chosen
from dayfly.cli.naming import job_argument
from dayfly.cli.quantities import SECONDS
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobStatus
    from dayfly.jobs import Job


@click.command()
@job_argument(many=True)
@provider_option
@click.option("--timeout", type=SECONDS, help="Give up after so long; the jobs go on.")
@shared_options
@pass_settings
def wait(settings: Settings, selectors: tuple[str, ...], on: str, timeout: int | None) -> int:
    """Wait until every JOB has ended, and say how each did.

    Exits as `run` would have; with several jobs, with the first code that is not 0.
    Ctrl-C stops the waiting, not the jobs.
    """

    async def end(job: Job) -> JobStatus:
        return await job.wait(timeout)

    results = with_chosen(selectors, on, end)
    ended = report(results, as_json=settings.json, fields=chosen_fields, line=chosen_line)
    codes = [exit_code_for(found) for found in ended]
    if len(ended) < len(results):
        codes.append(DAYFLY_FAILED)
    return next((code for code in codes if code), 0)
