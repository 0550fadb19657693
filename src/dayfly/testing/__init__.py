"""The conformance kit: what dayfly promises, as tests that any plugin can be put to.

A provider's whole test is a dozen lines:

    from dayfly.testing import ProviderUnderTest, RunnerConformance

    class TestMine(RunnerConformance):
        provider = ProviderUnderTest(plugin="mine", image="registry.example/busybox")

Every rule runs against the plugin's own process over its own socket. It selects itself by
what the plugin serves and honours; a skipped rule says what was missing. It needs
``dayfly[conformance]``.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("dayfly.testing.promises")

from dayfly.testing.conformance import RunnerConformance  # noqa: E402 - after the rewrite
from dayfly.testing.rules import Rule, all_rules  # noqa: E402
from dayfly.testing.run import Result, run_conformance  # noqa: E402
from dayfly.testing.under_test import ProviderUnderTest  # noqa: E402

__all__ = [
    "ProviderUnderTest",
    "Result",
    "Rule",
    "RunnerConformance",
    "all_rules",
    "run_conformance",
]
