"""One call, tried again while its failures may pass."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

from dayfly.contract.errors import Transient
from dayfly.jobs.timing import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dayfly.jobs.timing import Timing

T = TypeVar("T")

_log = logging.getLogger("dayfly.jobs")


async def retried(
    call: Callable[[], Awaitable[T]], *, tried: str, timing: Timing, deadline: float
) -> T:
    """The call's answer.

    Args:
        call: What to do; it is safe to do again.
        tried: What it does, to follow "tried for 300 s ".
        timing: Pauses between tries.
        deadline: Seconds of nothing but passing errors after which to give up.

    Raises:
        DayflyError: An error that does not pass, or the last one before the deadline.
    """
    backoff = Backoff(timing, deadline)
    clock = asyncio.get_running_loop().time
    while True:
        try:
            return await call()
        except Transient as error:
            pause = pause_after(error, tried, backoff, clock())
        await asyncio.sleep(pause)


def pause_after(error: Transient, tried: str, backoff: Backoff, now: float) -> float:
    """Seconds until the next try. Whoever waits is told why, once, when it goes on for a while.

    Args:
        error: Why this one failed.
        tried: As for ``retried``.
        backoff: Of the tries so far.
        now: Monotonic time of the failure, in seconds.

    Raises:
        Transient: Its deadline has passed: the error, of the same class, says for how long.
    """
    pause = backoff.failed(now, error.retry_after_seconds)
    if pause is None:
        raise type(error)(
            f"tried for {backoff.deadline:g} s {tried}, and every try failed; "
            f"the last: {error.message}",
            advice=error.advice,
            field=error.field,
            reason=error.reason,
            retry_after_seconds=error.retry_after_seconds,
        ) from error
    if backoff.to_be_told(now):
        _log.warning("still trying %s: %s", tried, error.message)
    return pause
