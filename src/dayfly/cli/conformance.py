"""``dayfly conformance``: put any plugin to every rule of the contract."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import FAILED
from dayfly.cli.printing import print_json, print_table, say, show
from dayfly.cli.settings import Settings, pass_settings, shared_options
from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.contract.handshake import REATTACH_ENV

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.host import InstalledPlugin
    from dayfly.testing import ProviderUnderTest, Result, Rule

_WORDS = {"passed": "ok", "failed": "!FAILED", "skipped": "skipped", "deviates": "deviates"}


@click.command()
@click.argument("plugin", required=False, default="")
@click.option("--on", default="", metavar="NAME", help="Take the configuration of this name.")
@click.option("--image", default="", help="Image with sh, cat and sleep; none for plain processes.")
@click.option(
    "--deviation",
    multiple=True,
    metavar="RULE=REASON",
    help="A rule that is known not to hold; it fails once it does hold.",
)
@click.option("--only", default="", metavar="TEXT", help="Only rules with this in their names.")
@click.option(
    "--job-seconds",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="Longest time for one small job to start and end.",
)
@click.option("--list", "listing", is_flag=True, help="Print the rules, and test nothing.")
@shared_options
@pass_settings
def conformance(
    settings: Settings,
    *,
    plugin: str,
    on: str,
    image: str,
    deviation: tuple[str, ...],
    only: str,
    job_seconds: float,
    listing: bool,
) -> int:
    """Test a plugin against every promise, through its own process and socket.

    PLUGIN is the name of an installed plugin or the path of its directory. Rules that
    need what the plugin does not serve are skipped, each with the reason. Exits with 1
    when a rule failed.
    """
    _require_pytest()
    from dayfly.testing import all_rules, run_conformance  # noqa: PLC0415 - needs pytest

    rules = all_rules()
    if listing:
        _print_rules(settings, rules)
        return 0
    provider = _provider(plugin, on, image, _deviations(deviation, rules), job_seconds)
    results = run_conformance(provider, _ignore if settings.json else _print_result, only=only)
    if not results:
        raise InvalidField(
            f"no rule has {only!r} in its name", field="only", advice="--list prints them all."
        )
    failed = sum(result.outcome == "failed" for result in results)
    if settings.json:
        print_json({"ok": not failed, "rules": [_fields(result) for result in results]})
    else:
        counts = {w: sum(r.outcome == w for r in results) for w in _WORDS}
        say(", ".join(f"{count} {word}" for word, count in counts.items()))
    return FAILED if failed else 0


def _require_pytest() -> None:
    missing = [name for name in ("pytest", "pytest_timeout") if find_spec(name) is None]
    if missing:
        raise FailedPrecondition(
            f"the conformance kit needs {' and '.join(missing)}, not installed here",
            advice="pip install 'dayfly[conformance]'",
        )


def _provider(
    plugin: str, on: str, image: str, deviations: dict[str, str], seconds: float
) -> ProviderUnderTest:
    from dayfly.host import find_plugin, load_config  # noqa: PLC0415 - not needed for --list
    from dayfly.testing import ProviderUnderTest  # noqa: PLC0415 - same

    if not plugin and not on:
        raise click.UsageError("Name a plugin, or a configuration with --on.")
    config = load_config().provider(on) if on else None
    name = plugin or (config.plugin if config else "")
    _refuse_running(find_plugin(name))
    return ProviderUnderTest(
        plugin=os.path.abspath(name) if os.sep in name else name,  # noqa: PTH100 - text
        config=config.settings if config else {},
        pass_env=config.pass_env if config else (),
        image=image,
        deviations=deviations,
        seconds=seconds,
    )


def _refuse_running(plugin: InstalledPlugin) -> None:
    from dayfly.host.reattach import reattached  # noqa: PLC0415 - not needed for --list

    if reattached(plugin, os.environ.get(REATTACH_ENV) or "{}"):
        raise FailedPrecondition(
            f"{REATTACH_ENV} names a running {plugin.name!r}, and the kit starts and kills the "
            "plugin that it tests",
            advice=f"Unset {REATTACH_ENV}.",
        )


def _deviations(given: Sequence[str], rules: Sequence[Rule]) -> dict[str, str]:
    known, deviations = {rule.name for rule in rules}, {}
    for item in given:
        name, _, reason = item.partition("=")
        if name not in known:
            raise InvalidField(
                f"deviation names {name!r}, which is no rule",
                field="deviation",
                advice="--list prints the rules.",
            )
        if not reason.strip():
            raise InvalidField(
                f"deviation from {name} has no reason", field="deviation", advice="RULE=REASON"
            )
        deviations[name] = reason
    return deviations


def _print_rules(settings: Settings, rules: Sequence[Rule]) -> None:
    if settings.json:
        print_json(
            [
                {
                    "rule": rule.name,
                    "promise": rule.promise,
                    "title": rule.title,
                    "needs": list(rule.needs),
                    "honours": list(rule.honours),
                }
                for rule in rules
            ]
        )
        return
    rows = [
        [rule.promise, rule.name, ", ".join((*rule.needs, *rule.honours)), rule.title]
        for rule in rules
    ]
    print_table(["PROMISE", "RULE", "NEEDS", "WHAT MUST HOLD"], rows)


def _print_result(result: Result) -> None:
    word = _WORDS[result.outcome].removeprefix("!")
    why = f"  ({result.detail})" if result.outcome in {"skipped", "deviates"} else ""
    show(f"{word:8}  {result.rule.promise}: {result.rule.name}  {result.seconds:.1f} s{why}")
    if result.outcome == "failed":
        show(result.detail)


def _ignore(_: Result) -> None:
    """Nothing is printed on the way: the one document comes at the end."""


def _fields(result: Result) -> dict[str, object]:
    return {
        "rule": result.rule.name,
        "promise": result.rule.promise,
        "title": result.rule.title,
        "outcome": result.outcome,
        "detail": result.detail or None,
        "seconds": round(result.seconds, 3),
    }
