"""``dayfly doctor``: everything that a launch depends on, each with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import FAILED
from dayfly.cli.job_options import provider_option
from dayfly.cli.printing import print_json, print_table, show
from dayfly.cli.session import within
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.errors import DayflyError
from dayfly.contract.provider import Check, CheckOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.api import Connection

_WORDS = {
    CheckOutcome.PASSED: "ok",
    CheckOutcome.WARNING: "warning",
    CheckOutcome.FAILED: "!FAILED",
}


@click.command()
@provider_option
@shared_options
@pass_settings
def doctor(settings: Settings, on: str) -> int:
    """Check everything that a launch depends on; exits with 1 when something failed."""
    checks = _examine(on)
    failed = any(check.outcome is CheckOutcome.FAILED for check in checks)
    if settings.json:
        print_json(
            {
                "ok": not failed,
                "checks": [
                    {
                        "name": check.name,
                        "outcome": check.outcome.name,
                        "detail": check.detail or None,
                        "advice": check.advice or None,
                    }
                    for check in checks
                ],
            }
        )
    else:
        rows = [[c.name, _WORDS[c.outcome], _cell(c.detail), _cell(c.advice)] for c in checks]
        print_table(["CHECK", "RESULT", "SEEN", "WHAT TO DO"], rows)
        # What has lines of its own, such as a policy, comes whole, to be copied.
        for check in checks:
            for text in (check.detail, check.advice):
                if "\n" in text:
                    show(f"\n{check.name}: {text}")
    return FAILED if failed else 0


def _cell(text: str) -> str:
    first, more, _ = text.partition("\n")
    return f"{first} (below)" if more else first


def _examine(on: str) -> list[Check]:
    """Each step needs the one before it, so the first failure is the last check."""
    from dayfly.api import connect  # noqa: PLC0415 - not needed for --help
    from dayfly.host import find_plugin, load_config  # noqa: PLC0415 - same

    checks: list[Check] = []

    def step(name: str, look: Callable[[], str]) -> bool:
        try:
            checks.append(Check(name=name, outcome=CheckOutcome.PASSED, detail=look()))
        except DayflyError as error:
            checks.append(_failed(name, error))
            return False
        return True

    step("journal", _look_at_journal)
    if not step("configuration", lambda: str(load_config().path or "none; the defaults hold")):
        return checks
    settings = load_config()
    name = on or settings.default_provider
    if step("plugin", lambda: str(find_plugin(settings.provider(name).plugin).manifest_path)):
        try:
            checks += within(connect(name, config=settings), _ask)
        except DayflyError as error:
            checks.append(_failed("start", error))
    return checks


def _look_at_journal() -> str:
    from dayfly.jobs import Journal  # noqa: PLC0415 - not needed for --help

    journal = Journal.open()
    return f"{journal.path}, {len(journal.entries())} launches"


async def _ask(provider: Connection) -> list[Check]:
    from dayfly.host import verify_manifest  # noqa: PLC0415 - imports grpc

    plugin = provider.plugin
    seen = f"{plugin.name} {plugin.version}"
    checks = [Check(name="start", outcome=CheckOutcome.PASSED, detail=seen)]
    findings = await verify_manifest(plugin.manifest, plugin)
    checks += [
        Check(
            name="manifest",
            outcome=CheckOutcome.FAILED if finding.severe else CheckOutcome.WARNING,
            detail=f"{finding.field}: {finding.message}",
            advice=f"Correct {plugin.manifest.name}'s plugin.json, or the plugin.",
        )
        for finding in findings
    ]
    if not findings:
        detail = "plugin.json says what is served"
        checks.append(Check(name="manifest", outcome=CheckOutcome.PASSED, detail=detail))
    try:
        checks += await provider.jobs.check()
    except DayflyError as error:
        checks.append(_failed("provider", error))
    return checks


def _failed(name: str, error: DayflyError) -> Check:
    return Check(name=name, outcome=CheckOutcome.FAILED, detail=error.message, advice=error.advice)
