"""A call that may fail for a while, tried again until its deadline."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dayfly.contract.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Backoff:
    """Growing, jittered pauses between failures in a row.

    Attributes:
        patience_seconds: How long nothing but failures is borne.
    """

    patience_seconds: float
    _pause: float = FIRST_PAUSE_SECONDS
    _since: float | None = None

    def reset(self) -> None:
        """Something worked."""
        self._pause, self._since = FIRST_PAUSE_SECONDS, None

    def next_pause(self, error: Transient) -> float:
        """Seconds to wait before the next try.

        Raises:
            Transient: The error itself, once patience has run out.
        """
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        pause = max(self._pause * random.uniform(0.7, 1.3), error.retry_after_seconds or 0.0)  # noqa: S311 - jitter
        if now + pause - self._since > self.patience_seconds:
            raise error
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        return pause


async def persist(
    call: Callable[[], Awaitable[T]],
    *,
    patience_seconds: float,
    retried: type[Transient] = Transient,
) -> T:
    """Call until it works, fails for good, or the patience has run out.

    Args:
        call: What to try; safe to repeat.
        patience_seconds: How long failures that may pass are borne.
        retried: Which failures those are.
    """
    backoff = Backoff(patience_seconds)
    while True:
        try:
            return await call()
        except retried as error:
            await asyncio.sleep(backoff.next_pause(error))
