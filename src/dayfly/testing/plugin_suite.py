"""What ``dayfly conformance`` collects; the command sets ``provider``."""

from __future__ import annotations

from dayfly.testing.conformance import RunnerConformance


class TestPlugin(RunnerConformance):
    """Every rule, for the plugin that the command names."""
