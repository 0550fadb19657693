"""Every pause and every bound of this room, in seconds."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long to wait, and for what. Where a provider states its own pace, that counts.

    Attributes:
        error_deadline: Nothing but passing errors for this long ends a watch or a follow.
        launch_deadline: As above, for a launch.
        cancel_deadline: As above, for the request to stop; and how long after the grace
            period the stop may take to be confirmed.
        default_grace: The grace period to reckon with where a job's own is not known.
        withdrawal: How long a launch that is called off may take to come to its end.
        backoff_first: Pause after a first passing error.
        backoff_max: Longest pause between two tries.
        quiet: Passing errors that go on for longer are told, once.
        page_first: Pause before asking again for output, after output came.
        page_max: The same, after nothing came for a while.
        gather: How long a look is put off for each job that is watched, so that one call
            looks at more of them.
    """

    error_deadline: float = 900.0
    launch_deadline: float = 300.0
    cancel_deadline: float = 60.0
    default_grace: float = 30.0
    withdrawal: float = 2.0
    backoff_first: float = 0.1
    backoff_max: float = 10.0
    quiet: float = 5.0
    page_first: float = 0.02
    page_max: float = 0.25
    gather: float = 0.0001


def jittered(seconds: float) -> float:
    """About as long, so that many who wait do not come at once."""
    return seconds * random.uniform(0.85, 1.15)  # noqa: S311 - not a secret


class Backoff:
    """Pauses that grow while a call keeps failing, up to a deadline."""

    def __init__(self, timing: Timing, deadline: float) -> None:
        self._timing = timing
        self.deadline = deadline
        self._failing_since: float | None = None
        self._pause = timing.backoff_first
        self._told = False

    def succeeded(self) -> None:
        """The call works again."""
        self._failing_since, self._pause = None, self._timing.backoff_first
        self._told = False

    def failed(self, now: float, asked: float | None = None) -> float | None:
        """The pause before the next try; None where the deadline has passed.

        Args:
            now: Monotonic time of the failure, in seconds.
            asked: The pause that the provider asked for.
        """
        if self._failing_since is None:
            self._failing_since = now
        left = self._failing_since + self.deadline - now
        if left <= 0:
            return None
        pause, self._pause = self._pause, min(self._pause * 2, self._timing.backoff_max)
        return min(max(jittered(pause), asked or 0.0), left)

    def to_be_told(self, now: float) -> bool:
        """It has been failing for a while, which a person should know; true once."""
        since = self._failing_since
        if self._told or since is None or now - since < self._timing.quiet:
            return False
        self._told = True
        return True
