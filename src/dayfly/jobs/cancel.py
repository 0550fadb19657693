"""A stop: asked for, then watched until the provider confirms it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.contract.errors import DeadlinePassed
from dayfly.jobs.retry import retried

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.contract.services import JobCanceler
    from dayfly.jobs.timing import Timing
    from dayfly.jobs.watch import Watch


async def request_stop(canceler: JobCanceler, handle: JobHandle, name: str, timing: Timing) -> None:
    """Ask for the stop.

    Raises:
        DayflyError: The provider refused, or could not be reached.
    """
    await retried(
        lambda: canceler.cancel_job(handle),
        tried=f"to stop {name}",
        timing=timing,
        deadline=timing.cancel_deadline,
    )


async def confirmed_stop(
    watch: Watch, end: asyncio.Future[JobStatus], handle: JobHandle, name: str, within: float
) -> JobStatus:
    """The end of a job whose stop was asked for.

    Args:
        watch: To look at once.
        end: The job's end, to come.
        handle: The job.
        name: What to call it.
        within: Seconds to wait.

    Raises:
        DeadlinePassed: It did not end in time.
    """
    watch.hasten(handle)
    await asyncio.wait({end}, timeout=within)
    if not end.done():
        seen = watch.seen(handle)
        state = seen.state.name if seen else "not known"
        raise DeadlinePassed(
            f"asked for the stop of {name}, and {within:g} s later it has not ended; its state "
            f"is {state}",
            advice=f"Look at it: dayfly status {name}; ask again: dayfly cancel {name}.",
        )
    return end.result()
