"""A launch whose caller was cancelled: it is ended, and what it started is stopped and removed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, NotServed
from dayfly.jobs.launch import leaves_open

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.contract.jobs import JobHandle, Submitted
    from dayfly.jobs.job import Job
    from dayfly.jobs.launch import Launch

_log = logging.getLogger("dayfly.jobs")


async def call_off(
    launch: Launch,
    launching: asyncio.Task[Submitted],
    attach: Callable[[JobHandle, str, str], Job],
    *,
    patience_seconds: float,
    detached: bool,
    keep: bool,
) -> None:
    """End a launch, and stop and remove what it may have started.

    Args:
        launch: What was called off.
        launching: Its run.
        attach: The job of a handle, a key and a name.
        patience_seconds: For an answer that is on its way.
        detached: What was started goes on.
        keep: What was started is stopped, and stays.

    Raises:
        DayflyError: It could not be told what was started, or that could not be stopped.
    """
    await asyncio.wait({launching}, timeout=patience_seconds)
    launching.cancel()
    await asyncio.wait({launching})
    if detached:
        return
    if launching.cancelled() or leaves_open(launching.exception()):
        handle = await launch.find()
    elif launching.exception() is None:
        submitted = launching.result()
        # Whoever launched it before has a use for its output.
        handle, keep = submitted.handle, keep or submitted.adopted
    else:
        return
    if handle is None:
        return
    job = attach(handle, launch.key, launch.name)
    await job.cancel()
    if not keep:
        await _remove(job)


async def _remove(job: Job) -> None:
    """Remove a stopped job; whoever called its launch off hears of nothing but the log."""
    try:
        await job.delete()
    except NotServed:
        pass  # Nobody can do anything about it, after each run.
    except DayflyError as error:
        _log.warning("%s was stopped, and what it left is still there: %s", job.name, error.message)
