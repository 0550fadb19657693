"""``dayfly plan``: what a run would send."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Unpack

import click

from dayfly.cli.job_options import JobOptions, job_options, job_spec, provider_option
from dayfly.cli.printing import print_json, show
from dayfly.cli.session import start, within
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.api import Connection
    from dayfly.contract.provider import JobPlan


@click.command(context_settings={"allow_interspersed_args": False})
@provider_option
@job_options
@shared_options
@pass_settings
def plan(settings: Settings, *, on: str, **options: Unpack[JobOptions]) -> None:
    """Show the requests that a run with these options would send; start nothing."""
    from dayfly.api import variables_to_pass  # noqa: PLC0415 - not needed for --help

    spec = job_spec(options)

    async def ask(provider: Connection) -> JobPlan:
        return await provider.jobs.plan(spec)

    planned = within(start(on, pass_env=variables_to_pass(spec)), ask)
    if settings.json:
        calls = [{"call": c.call, "request": c.request, "note": c.note} for c in planned.calls]
        print_json({"calls": calls, "notes": list(planned.notes)})
        return
    for call in planned.calls:
        show(f"{call.call}  # {call.note}" if call.note else call.call)
        show(indent(call.request, "  "))
    for note in planned.notes:
        show(f"note: {note}")
