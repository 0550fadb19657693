"""What the kit must know of a provider to test it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from dayfly.contract.jobs import JobSpec
from dayfly.host import find_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dayfly.host import InstalledPlugin

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _no_resources(_key: str) -> Collection[str]:
    return ()


def _in_the_environment(_value: str) -> None:
    """The kit has put it there."""


@dataclass(frozen=True, kw_only=True)
class ProviderUnderTest:
    """A plugin, how to configure it, and where it deviates.

    Attributes:
        plugin: Its name, or the path of its directory.
        config: What it is initialized with.
        image: An image with a POSIX ``sh``, ``cat`` and ``sleep``; empty for a provider
            that runs processes.
        missing_image: A reference that no registry has.
        missing_secret: A reference that resolves to nothing.
        secret_reference: How the plugin finds the value of ``DAYFLY_CONFORMANCE_CANARY``,
            which the kit sets in the plugin's environment.
        store_secret: Puts a value where ``secret_reference`` finds it, for a provider whose
            secrets are kept elsewhere than in the plugin's environment.
        pass_env: Further variables of this process for the plugin.
        deviations: Name of a rule to the reason for which it is not kept. Such a rule
            must fail: once it passes, the deviation is stale, and that is a failure.
        not_tried: Name of a rule to the reason for which it is not even tried here: it
            would do harm, or wait in vain. It is skipped, and the reason shown.
        seconds: Bound for one job to start and end; a cloud needs more than a machine.
        clock_seconds: How coarse the provider's times are.
        own_place: Nobody else's jobs are where this configuration points, so that
            ``prune`` may be tried for real.
        resources: Names of what the provider holds for an idempotency key, looked up
            past the plugin; it must be empty before a launch and after ``rm``.
    """

    plugin: str
    config: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    image: str = ""
    missing_image: str = "localhost:1/dayfly/no-such-image:none"
    missing_secret: str = "env:DAYFLY_CONFORMANCE_UNSET"  # noqa: S105 - a reference
    secret_reference: str = "env:DAYFLY_CONFORMANCE_CANARY"  # noqa: S105 - a reference
    store_secret: Callable[[str], None] = _in_the_environment
    pass_env: tuple[str, ...] = ()
    deviations: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    not_tried: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    seconds: float = 60.0
    clock_seconds: float = 0.0
    own_place: bool = False
    resources: Callable[[str], Collection[str]] = _no_resources

    def installed(self) -> InstalledPlugin:
        """The plugin, found as every host finds it."""
        return find_plugin(self.plugin)

    def job(self, script: str, *arguments: str, **fields: Any) -> JobSpec:
        """A job that runs a line of shell, with arguments from ``$1`` on."""
        command = ("/bin/sh", "-c", script, *(("sh", *arguments) if arguments else ()))
        return JobSpec(name="conformance", image=self.image, command=command, **fields)

    def endless(self, before: str = "true", **fields: Any) -> JobSpec:
        """A job that goes on for a minute, and ends at once on TERM even as process 1."""
        script = f"trap 'exit 143' TERM; {before}; sleep 60 & wait; echo survived"
        return self.job(script, **fields)
