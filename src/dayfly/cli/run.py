"""``dayfly run``: one job, its output, its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from dayfly.cli.exits import exit_code_for
from dayfly.cli.job_fields import job_fields, summary
from dayfly.cli.job_options import JobOptions, job_options, job_spec, provider_option
from dayfly.cli.printing import print_json, say, show
from dayfly.cli.session import start, within
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from dayfly.api import Connection
    from dayfly.cli.foreground import Outcome
    from dayfly.contract.jobs import JobSpec, JobStatus
    from dayfly.jobs import Job

#: An end that is the job's own needs no words from us.
_PLAIN = frozenset({Reason.COMPLETED, Reason.EXITED_NONZERO, None})


@click.command(context_settings={"allow_interspersed_args": False})
@provider_option
@job_options
@click.option("-d", "--detach", is_flag=True, help="Print the job's name and leave it running.")
@click.option("--key", metavar="KEY", help="Idempotency key: the same key is the same job.")
@click.option("--keep", is_flag=True, help="Do not remove the ended job.")
@shared_options
@pass_settings
def run(
    settings: Settings,
    *,
    on: str,
    detach: bool,
    key: str | None,
    keep: bool,
    **options: Unpack[JobOptions],
) -> int:
    """Run ARGV as a job, stream its output, exit with its code.

    The job's stdout and stderr come out untouched, each on its own; what dayfly says
    goes to stderr. With --output json, stdout holds one JSON object at the end, and the
    job's stdout goes to stderr.

    The first Ctrl-C stops the job and waits until it has stopped; the second leaves at
    once. SIGTERM stops it too. So does a reader of the output that goes away.
    """
    from dayfly.api import variables_to_pass  # noqa: PLC0415 - not needed for --help

    spec = job_spec(options)
    connection = start(on, pass_env=variables_to_pass(spec))
    if detach:
        return _detached(connection, spec, key, settings)
    return _attached(connection, spec, key, keep, settings)


def _attached(
    connection: Connection, spec: JobSpec, key: str | None, keep: bool, settings: Settings
) -> int:
    import asyncio  # noqa: PLC0415 - while the plugin starts

    from dayfly.cli.foreground import Order, run_in_foreground  # noqa: PLC0415 - same

    order = Order(spec=spec, key=key, keep=keep, stdout=2 if settings.json else 1)
    outcome = asyncio.run(run_in_foreground(connection, order))
    if settings.json:
        print_json(_result(connection.provider, outcome))
    elif outcome.status is not None and outcome.job is not None:
        _explain(outcome.job, outcome.status)
    return outcome.exit_code


def _detached(connection: Connection, spec: JobSpec, key: str | None, settings: Settings) -> int:
    async def launch(provider: Connection) -> Job:
        return await provider.jobs.launch(spec, key=key, detached=True)

    job = within(connection, launch)
    for note in job.notes:
        say(note)
    if job.adopted:
        say(f"{job.name} was launched before under this key; here it is again")
    if settings.json:
        fields = job_fields(
            name=job.name, provider=connection.provider, key=job.key, handle=job.handle
        )
        print_json({**fields, "adopted": job.adopted, "notes": list(job.notes)})
    else:
        show(job.name)
    say(f"come back with: dayfly logs -f {job.name}    dayfly wait {job.name}")
    return 0


def _result(provider: str, outcome: Outcome) -> dict[str, object]:
    job = outcome.job
    fields = job_fields(
        name=job.name if job else "",
        provider=provider,
        key=job.key if job else "",
        handle=job.handle if job else None,
        status=outcome.status,
    )
    return {
        **fields,
        "adopted": job.adopted if job else False,
        "notes": list(job.notes) if job else [],
        "kept": outcome.kept,
        "dayfly_exit_code": outcome.exit_code,
    }


def _explain(job: Job, status: JobStatus) -> None:
    """Say how it ended where the exit code alone would mislead."""
    unknown = status.exit_code is None and exit_code_for(status) != 0
    if status.reason not in _PLAIN or unknown:
        say(f"{job.name}: {summary(status)}")
