"""Calls at the rate that a provider publishes, and at less once it says that it is too many.

A token bucket for each kind of call. No library: those that are typed and alive (aiolimiter)
have one fixed rate, and what is asked for here is that a throttled call slows all later ones
of its kind down and that the rate comes back by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The rate never falls below this part of what is published.
_LEAST: Final = 0.05
#: How long the full rate takes to come back from nothing, in seconds.
_RECOVERY_SECONDS: Final = 30.0
#: Throttled calls that were on their way together count as one.
_SAME_SECONDS: Final = 0.5
#: What is missing of a token for rounding alone.
_NOTHING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Rate:
    """What a provider publishes for one kind of call.

    Attributes:
        burst: Calls that may come at once.
        per_second: Calls a second after that.
    """

    burst: float
    per_second: float


class Pacer:
    """Turns for one kind of call, in the order in which they were asked for."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = rate.burst
        self._factor = 1.0
        self._seen: float | None = None
        self._slowed = float("-inf")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until a call may be made: as long as those ahead take at the present rate."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # A lock belongs to one loop.
            self._loop, self._queue = loop, asyncio.Lock()
        async with self._queue:
            # Only the head of the queue waits for a token, so that a rate that changes
            # holds for all behind it, and one that is cancelled costs none.
            while True:
                missing = 1 - self._refill()
                if missing <= _NOTHING:
                    break
                await asyncio.sleep(missing / (self._rate.per_second * self._factor))
            self._tokens -= 1

    def throttled(self) -> None:
        """The provider refused a call for its rate: half of it from now on, and no burst."""
        self._refill()
        now = asyncio.get_running_loop().time()
        if now - self._slowed < _SAME_SECONDS:
            return
        self._slowed = now
        self._factor = max(self._factor / 2, _LEAST)
        self._tokens = min(self._tokens, 0.0)

    def _refill(self) -> float:
        """The tokens that there are now."""
        now = asyncio.get_running_loop().time()
        passed = max(now - (now if self._seen is None else self._seen), 0.0)
        self._seen = now
        self._factor = min(self._factor + passed / _RECOVERY_SECONDS, 1.0)
        gained = passed * self._rate.per_second * self._factor
        self._tokens = min(self._tokens + gained, self._rate.burst)
        return self._tokens


class Pacers:
    """A pacer for each kind of call; what has no published rate is not held back."""

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        self._pacers = {call: Pacer(rate) for call, rate in rates.items()}

    async def turn(self, call: str) -> None:
        """Wait until a call of this kind may be made."""
        if pacer := self._pacers.get(call):
            await pacer.turn()

    def throttled(self, call: str) -> None:
        """A call of this kind was refused for its rate."""
        if pacer := self._pacers.get(call):
            pacer.throttled()
