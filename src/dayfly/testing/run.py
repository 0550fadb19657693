"""Runs the whole kit on one plugin, away from any project's own pytest configuration."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from dayfly.testing.plugin_suite import TestPlugin
from dayfly.testing.rules import Rule, all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.testing.under_test import ProviderUnderTest


@dataclass(frozen=True, slots=True)
class Result:
    """How a rule went.

    Attributes:
        rule: Which.
        outcome: "passed", "failed", "skipped" or "deviates".
        detail: Why, where it did not pass: the reason, or the failure at length.
        seconds: How long it took.
    """

    rule: Rule
    outcome: str
    detail: str
    seconds: float


class _Reporter:
    """A plugin of pytest's that turns its reports into results."""

    def __init__(self, report: Callable[[Result], None]) -> None:
        self.results: list[Result] = []
        self._report = report
        self._rules = {rule.name: rule for rule in all_rules()}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest thrice for each test: set-up, call, teardown."""
        if report.when != "call" and not report.failed:
            return
        function = report.nodeid.rsplit("::", maxsplit=1)[-1]
        rule = self._rules[function.removeprefix("test_").replace("_", "-")]
        result = Result(rule, *_outcome(report), report.duration)
        self.results.append(result)
        self._report(result)


def run_conformance(
    provider: ProviderUnderTest,
    report: Callable[[Result], None],
    *,
    only: str = "",
) -> list[Result]:
    """Put a plugin to every rule.

    Args:
        provider: What to test.
        report: Called with each result as it comes.
        only: Part of the names of the rules to run; empty is all.

    Returns:
        One result for each rule that ran.
    """
    TestPlugin.provider = provider
    reporter = _Reporter(report)
    with tempfile.TemporaryDirectory(prefix="dayfly-pytest-") as root, _no_autoload():
        arguments = [
            "--pyargs",
            "dayfly.testing.plugin_suite",
            f"--rootdir={root}",
            f"--config-file={os.devnull}",
            "--override-ini=python_files=plugin_suite.py",
            "--override-ini=cache_dir=" + root,
            *("-p", "no:terminal", "-p", "no:cacheprovider", "-p", "pytest_timeout"),
            f"--timeout={4 * provider.seconds + 120}",
        ]
        if only:
            arguments += ["-k", only.replace("-", "_")]
        pytest.main(arguments, plugins=[reporter])
    return reporter.results


def _outcome(report: pytest.TestReport) -> tuple[str, str]:
    if report.passed:
        return "passed", ""
    if report.failed:
        return "failed", report.longreprtext
    if hasattr(report, "wasxfail"):
        return "deviates", str(report.wasxfail).removeprefix("reason: ")
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return "skipped", reason.removeprefix("Skipped: ")


class _no_autoload:  # noqa: N801 - used as a context manager
    """Another project's plugins of pytest's have no part in this."""

    _NAME = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"

    def __enter__(self) -> None:
        self._before = os.environ.get(self._NAME)
        os.environ[self._NAME] = "1"

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ[self._NAME]
        else:
            os.environ[self._NAME] = self._before
