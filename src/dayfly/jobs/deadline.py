"""A timeout that the provider does not keep is kept here."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import NotServed
from dayfly.contract.jobs import JobState, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.contract.errors import DayflyError
    from dayfly.contract.jobs import JobStatus

_STOP_SIGNALS: Final = {signal.SIGTERM.value, signal.SIGKILL.value}


class Deadline:
    """Stops one job when its time is up. A timer, not a task.

    Attributes:
        passed: The time is up, and the stop was asked for.
    """

    def __init__(self, seconds: float, timeout_seconds: int, stop: Callable[[], object]) -> None:
        self.passed = False
        self._timeout_seconds = timeout_seconds
        self._stop = stop
        self._timer = asyncio.get_running_loop().call_later(max(seconds, 0.0), self._pass)

    def disarm(self) -> None:
        """The job has ended."""
        self._timer.cancel()

    def judge(self, status: JobStatus) -> JobStatus:
        """The end as it came about: one that our stop brought is a timeout."""
        if not self.passed or not _was_stopped(status):
            return status
        return replace(
            status,
            state=JobState.FAILED,
            reason=Reason.TIMED_OUT,
            message=f"stopped after its timeout of {self._timeout_seconds} s",
        )

    def _pass(self) -> None:
        self.passed = True
        self._stop()


def unkept(error: DayflyError, name: str, timeout_seconds: int) -> DayflyError:
    """What to tell of a job whose time was up, and which could not be stopped.

    Args:
        error: Why not.
        name: The job's.
        timeout_seconds: As it was asked for.
    """
    if isinstance(error, NotServed):
        advice = "It goes on; stop it at the provider itself."
    else:
        advice = error.advice or f"It may go on; stop it: dayfly cancel {name}."
    return type(error)(
        f"{name} was not stopped when its timeout of {timeout_seconds} s had passed: "
        f"{error.message}",
        advice=advice,
        field=error.field,
        reason=error.reason,
    )


def _was_stopped(status: JobStatus) -> bool:
    if status.state is JobState.CANCELLED:
        return True
    # Some providers do not tell a stop from a failure.
    by_signal = {status.signal, (status.exit_code or 0) - 128} & _STOP_SIGNALS
    return status.state is JobState.FAILED and bool(by_signal)
