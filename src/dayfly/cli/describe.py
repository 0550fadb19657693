"""``dayfly describe``: what a provider can honour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.job_options import provider_option
from dayfly.cli.printing import print_json, print_table
from dayfly.cli.session import start, within
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.honour import flag_for

if TYPE_CHECKING:
    from dayfly.api import Connection
    from dayfly.contract.provider import Description


@click.command()
@provider_option
@shared_options
@pass_settings
def describe(settings: Settings, on: str) -> None:
    """Show what a provider can honour; a job that asks for more is refused."""

    async def ask(provider: Connection) -> Description:
        return await provider.jobs.describe()

    description = within(start(on), ask)
    if settings.json:
        print_json(_fields(description))
        return
    rows = [
        ["provider", f"{description.provider} {description.version}"],
        ["honours", ", ".join(sorted(map(flag_for, description.honours))) or "nothing"],
        ["secrets", ", ".join(description.secret_forms) or "none"],
        ["output", "stdout and stderr apart" if description.separates_streams else "one stream"],
    ]
    rows += [["limit", f"{name}: {limit}"] for name, limit in sorted(description.limits.items())]
    rows += [["side effect", effect] for effect in description.side_effects]
    print_table(["WHAT", "VALUE"], rows)


def _fields(description: Description) -> dict[str, object]:
    return {
        "provider": description.provider,
        "version": description.version,
        "honours": sorted(description.honours),
        "limits": dict(description.limits),
        "side_effects": list(description.side_effects),
        "secret_forms": list(description.secret_forms),
        "separates_streams": description.separates_streams,
        "statuses_per_call": description.statuses_per_call,
        "calls_per_second": description.calls_per_second,
        "visibility_grace_seconds": description.visibility_grace_seconds,
        "log_drain_seconds": description.log_drain_seconds,
        "poll_min_seconds": description.poll_min_seconds,
        "poll_max_seconds": description.poll_max_seconds,
        "remembers_seconds": description.remembers_seconds,
    }
