"""``dayfly ps``: the jobs of this machine's journal, or all that a provider knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.failures import failure_fields, say_failure
from dayfly.cli.job_fields import age, job_fields
from dayfly.cli.naming import complete_provider
from dayfly.cli.printing import print_json, print_table
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.cli.listing import Row


@click.command()
@click.option(
    "--on",
    default="",
    metavar="PROVIDER",
    shell_complete=complete_provider,
    help="Ask this provider for all jobs that it knows.",
)
@click.option("-a", "--all", "everything", is_flag=True, help="Ended jobs too.")
@shared_options
@pass_settings
def ps(settings: Settings, on: str, everything: bool) -> None:
    """List jobs that have not ended.

    Without --on: the jobs launched from this machine, each as its provider sees it now; a
    launch that a crash cut short is looked up, and taken over where it happened. With
    --on: what the provider itself lists, from whatever machine it was launched.
    """
    from dayfly.cli.listing import of_journal, of_provider  # noqa: PLC0415 - not for --help

    listing = of_provider(on) if on else of_journal()
    rows = [row for row in listing.rows if everything or row.warning or _live(row)]
    if settings.json:
        print_json(
            {
                "jobs": [_document(row) for row in rows],
                "errors": [
                    {"provider": name, **failure_fields(error)}
                    for name, error in listing.failures.items()
                ],
            }
        )
    else:
        print_table(["NAME", "ON", "STATE", "EXIT", "CREATED", "NOTE"], map(_cells, rows))
    for name, error in listing.failures.items():
        say_failure(error, prefix=f"{name} could not be asked: ")


def _live(row: Row) -> bool:
    return row.status is None or not row.status.final


def _document(row: Row) -> dict[str, object]:
    fields = job_fields(
        name=row.name, provider=row.provider, key=row.key, handle=row.handle, status=row.status
    )
    return {**fields, "labels": dict(row.labels), "warning": row.warning or None}


def _cells(row: Row) -> list[str]:
    status = row.status
    code = "" if status is None or status.exit_code is None else str(status.exit_code)
    note = f"!{row.warning}" if row.warning else (status.message if status else "")
    state = status.state.name.lower() if status else "unknown"
    return [row.name, row.provider, state, code, age(row.created), note]
