"""One job that is watched: when it is looked at next, and who waits for its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, Transient
from dayfly.contract.jobs import JobState, Reason
from dayfly.jobs.retry import pause_after
from dayfly.jobs.timing import Backoff, jittered

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.contract.provider import Description
    from dayfly.jobs.timing import Timing


class Watched:
    """A job between its first look and its last.

    Attributes:
        handle: The job.
        end: Its final status, or the error that ended the watch.
        due: Monotonic time of the next look.
        ripe: From when on it may come along with a look at others.
        status: As it was last seen; None before that.
        asking: A look is on its way.
        again: Told of an end that may pass; True where the job is launched again.
        parked: It is about to be launched again, and there is nothing to look at.
    """

    __slots__ = (
        "_backoff",
        "_unseen_since",
        "_young_since",
        "again",
        "asking",
        "due",
        "end",
        "handle",
        "parked",
        "ripe",
        "status",
    )

    def __init__(
        self, handle: JobHandle, end: asyncio.Future[JobStatus], now: float, timing: Timing
    ) -> None:
        self.handle = handle
        self.end = end
        self.due = self.ripe = now
        self.status: JobStatus | None = None
        self.asking = False
        self.again: Callable[[JobStatus], bool] | None = None
        self.parked = False
        self._unseen_since: float | None = None
        self._young_since = now
        self._backoff = Backoff(timing, timing.error_deadline)

    def hasten(self, now: float) -> None:
        """Something is about to happen: look now, and often again."""
        self._young_since = self.due = self.ripe = now

    def move(self, handle: JobHandle, now: float) -> None:
        """Watch another job of the provider's in its place: the same one, launched again."""
        self.handle, self.parked = handle, False
        self._unseen_since = None
        self.hasten(now)

    def learn(
        self, answer: JobStatus | DayflyError, now: float, description: Description, *, woken: bool
    ) -> None:
        """Take a look's answer.

        Args:
            answer: What was seen, or why nothing was.
            now: Monotonic time, in seconds.
            description: The provider's pace.
            woken: Events tell of changes, so that looks are only a safety net.
        """
        if self.end.done():
            return
        if isinstance(answer, DayflyError):
            self._failed(answer, now)
            return
        self._backoff.succeeded()
        self.status = answer
        if answer.state is not JobState.UNKNOWN:
            self._unseen_since = None
        if answer.final:
            self.parked = answer.may_pass and self.again is not None and self.again(answer)
            if not self.parked:
                self.end.set_result(answer)
        elif self._lost(answer, now, description.visibility_grace_seconds):
            self.end.set_result(_as_lost(answer))
        else:
            # It grows with the job's age: the end of a short job is seen at once, and a
            # long one costs few calls. Events make it grow faster.
            pause = (now - self._young_since) * (1.0 if woken else 0.1)
            bounds = description.poll_min_seconds, description.poll_max_seconds
            pause = jittered(min(max(pause, bounds[0]), bounds[1]))
            self.due, self.ripe = now + pause, now + pause / 2

    def fail(self, error: DayflyError) -> None:
        """End the watch of this job with an error."""
        if not self.end.done():
            self.end.set_exception(error)
            self.end.exception()  # Marked as seen: nobody may be waiting for this job.

    def _failed(self, error: DayflyError, now: float) -> None:
        if not isinstance(error, Transient):
            self.fail(error)
            return
        tried = f"to see how {self.handle.name or self.handle.id} stands"
        try:
            pause = pause_after(error, tried, self._backoff, now)
        except Transient as last:
            self.fail(last)
        else:
            self.due = self.ripe = now + pause

    def _lost(self, status: JobStatus, now: float, grace: float) -> bool:
        if status.state is not JobState.UNKNOWN:
            return False
        if self._unseen_since is None:  # A cloud may forget for a moment what it told before.
            self._unseen_since = now
        return now - self._unseen_since >= grace


def _as_lost(status: JobStatus) -> JobStatus:
    return replace(
        status,
        reason=Reason.LOST,
        message=status.message or "the provider has no record of the job",
    )
