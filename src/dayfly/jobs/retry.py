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
            now = clock()
            pause = backoff.failed(now, error.retry_after_seconds)
            if pause is None:
                raise gave_up(error, tried, deadline) from error
            if backoff.to_be_told(now):
                tell_still_trying(tried, error)
        await asyncio.sleep(pause)


def tell_still_trying(tried: str, error: Transient) -> None:
    """Say why nothing happens, to whoever waits."""
    _log.warning("still trying %s: %s", tried, error.message)


def gave_up(error: Transient, tried: str, deadline: float) -> Transient:
    """The error for a call that failed until its deadline, of the same class as the last."""
    return type(error)(
        f"tried for {deadline:g} s {tried}, and every try failed; the last: {error.message}",
        advice=error.advice,
        field=error.field,
        reason=error.reason,
        retry_after_seconds=error.retry_after_seconds,
    )
