"""``dayfly status``: one fresh look at a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.job_fields import chosen_fields, summary
from dayfly.cli.job_options import provider_option
from dayfly.cli.many import with_chosen
from dayfly.cli.naming import job_argument
from dayfly.cli.printing import print_json, print_table
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.errors import DayflyError

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobStatus
    from dayfly.jobs import Job


@click.command()
@job_argument()
@provider_option
@shared_options
@pass_settings
def status(settings: Settings, selector: str, on: str) -> None:
    """Show where JOB stands, as its provider says it.

    JOB is a name, the beginning of one, @latest, or a handle token, with which status,
    logs, wait, cancel and rm work on any machine that reaches the provider.
    """

    async def look(job: Job) -> JobStatus:
        return await job.status()

    ((chosen, found),) = with_chosen([selector], on, look)
    if isinstance(found, DayflyError):
        raise found
    fields = chosen_fields(chosen, found)
    if settings.json:
        print_json(fields)
        return
    rows = [["name", chosen.name], ["provider", chosen.provider], ["state", summary(found)]]
    rows += [[key, str(fields[key])] for key in ("created", "started", "ended") if fields[key]]
    rows += [["evidence", found.evidence]] if found.evidence else []
    rows.append(["handle", str(fields["handle"])])
    print_table(["WHAT", "VALUE"], rows)
