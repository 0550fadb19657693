"""Rules: named, selected by what a plugin serves, each with a bound of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

import pytest

from dayfly.testing.trial import Trial, opened_trial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dayfly.testing.under_test import ProviderUnderTest


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that a provider must do.

    Attributes:
        name: As deviations and reports spell it.
        promise: The class of rules that it belongs to.
        title: What must hold, in a sentence.
        needs: Capabilities without which it does not apply.
        honours: Fields of a job without which it does not apply.
    """

    name: str
    promise: str
    title: str
    needs: tuple[str, ...]
    honours: tuple[str, ...]


class Promise:
    """A class of rules; ``provider`` is what they are put to."""

    provider: ClassVar[ProviderUnderTest]


P = TypeVar("P", bound=Promise)

_RULES: dict[str, Rule] = {}

#: Added to what a rule's own jobs may take: starting plugins, cleaning up.
_OVERHEAD_SECONDS = 30.0


def all_rules() -> tuple[Rule, ...]:
    """Every rule of the kit, in the order of the promises."""
    return tuple(_RULES.values())


def rule(
    *needs: str, honours: tuple[str, ...] = ()
) -> Callable[[Callable[[P, Trial], Awaitable[None]]], Callable[[P], None]]:
    """Make a test of a coroutine method; the rule's name is the method's.

    The test is an ordinary function, so that it runs under any configuration of pytest
    and of its asyncio plugins.

    Args:
        needs: Fields of ``Services`` that the plugin must serve.
        honours: Fields of a job that it must honour.
    """

    def decorate(check: Callable[[P, Trial], Awaitable[None]]) -> Callable[[P], None]:
        name = check.__name__.removeprefix("test_").replace("_", "-")
        owner = check.__qualname__.split(".")[0]
        title = (check.__doc__ or name).strip().splitlines()[0]
        made = _RULES[name] = Rule(name, owner, title, needs, honours)

        def test(self: P) -> None:
            _judge(made, self.provider, lambda trial: check(self, trial))

        # Not functools.wraps: pytest would read the wrapped signature for fixtures.
        test.__name__, test.__qualname__ = check.__name__, check.__qualname__
        test.__doc__, test.__module__ = check.__doc__, check.__module__
        return test

    return decorate


def _judge(
    made: Rule, provider: ProviderUnderTest, check: Callable[[Trial], Awaitable[None]]
) -> None:
    unknown = sorted({*provider.deviations, *provider.not_tried} - set(_RULES))
    if unknown:
        pytest.fail(f"deviations name rules that there are not: {', '.join(unknown)}")
    if made.name in provider.not_tried:
        pytest.skip(provider.not_tried[made.name])
    reason = provider.deviations.get(made.name)
    if reason is None:
        asyncio.run(_run(made, provider, check))
        return
    try:
        asyncio.run(_run(made, provider, check))
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - it was said beforehand
        pytest.xfail(reason)
    pytest.fail(f"a stale deviation: the rule holds, yet it was said not to: {reason}")


async def _run(
    made: Rule, provider: ProviderUnderTest, check: Callable[[Trial], Awaitable[None]]
) -> None:
    async with (
        asyncio.timeout(2 * provider.seconds + _OVERHEAD_SECONDS),
        opened_trial(provider) as trial,
    ):
        absent = [name for name in made.needs if getattr(trial.services, name) is None]
        if absent:
            pytest.skip(f"not served: {', '.join(absent)}")
        if made.honours:
            honoured = (await trial.jobs.describe()).honours
            refused = [name for name in made.honours if name not in honoured]
            if refused:
                pytest.skip(f"not honoured: {', '.join(refused)}")
        await check(trial)
