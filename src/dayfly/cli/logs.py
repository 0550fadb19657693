"""``dayfly logs``: what a job printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from dayfly.cli.job_options import provider_option
from dayfly.cli.naming import choose, job_argument
from dayfly.cli.quantities import SECONDS
from dayfly.cli.session import start, within
from dayfly.cli.settings import Settings, pass_settings, shared_options

if TYPE_CHECKING:
    from dayfly.api import Connection


class Since(click.ParamType[datetime]):
    """``10m`` ago, or a time as ISO 8601 writes it; without a zone it is local."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """An aware time in UTC."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        if re.fullmatch(r"(\d+[dhms]?)+", text, re.ASCII):
            try:
                return datetime.now(UTC) - timedelta(seconds=SECONDS.convert(text, param, ctx))
            except OverflowError:
                self.fail(f"{value!r} is before all time", param, ctx)
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time; allowed: 10m, 2026-01-31T12:00:00Z", param, ctx)


@click.command()
@job_argument()
@provider_option
@click.option("-f", "--follow", is_flag=True, help="Stay until the job has ended.")
@click.option("--since", type=Since(), help="Only from this time on: 10m, or ISO 8601.")
@click.option("-n", "--tail", type=click.IntRange(min=0), help="Only so many last lines.")
@click.option("-t", "--timestamps", is_flag=True, help="Put its time in front of each line.")
@shared_options
@pass_settings
def logs(
    settings: Settings,
    *,
    selector: str,
    on: str,
    follow: bool,
    since: datetime | None,
    tail: int | None,
    timestamps: bool,
) -> None:
    """Print what JOB printed: stdout to stdout, stderr to stderr, untouched.

    With --output json, one JSON object per line of output: stream, time, text (null
    where the line is no UTF-8) and base64. Ctrl-C stops the reading, not the job.
    """
    chosen = choose(selector, on)
    connection = start(chosen.provider)
    from dayfly.cli.reach import reach  # noqa: PLC0415 - as above
    from dayfly.cli.reading import Reading, copy_lines, copy_output  # noqa: PLC0415 - meanwhile

    reading = Reading(follow=follow, since=since, tail_lines=tail, timestamps=timestamps)

    async def read(provider: Connection) -> None:
        job = await reach(provider, chosen)
        if settings.json or timestamps:
            await copy_lines(job, reading, as_json=settings.json)
        else:
            await copy_output(job, reading)

    within(connection, read)
