"""When a task is in which state: worked out once, then only read off the clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.emulators.aws.knobs import Knobs
    from tests.emulators.aws.script import Script

KILLED: Final = 137
OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"


@dataclass(frozen=True, slots=True)
class Part:
    """A container, as far as time is concerned."""

    script: Script
    essential: bool
    stop_timeout: float


@dataclass(frozen=True, slots=True)
class Exit:
    """How a container ends: absent code and infinite time if it never runs or never ends."""

    at: float
    code: int | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The moments of one task, infinite where they do not come."""

    created: float
    pending: float
    started: float
    stopping: float
    deactivated: float
    execution_stopped: float
    stopped: float
    stop_code: str
    stopped_reason: str
    exits: tuple[Exit, ...]

    def status(self, now: float) -> str:
        """``lastStatus``."""
        if now >= self.stopped:
            return "STOPPED"
        if now >= self.stopping:
            return self._ending(now)
        if now >= self.started:
            return "RUNNING"
        return "PENDING" if now >= self.pending else "PROVISIONING"

    def _ending(self, now: float) -> str:
        # A task that never ran has nothing to deactivate or to stop.
        if math.isfinite(self.started):
            if now < self.deactivated:
                return "DEACTIVATING"
            if now < self.execution_stopped:
                return "STOPPING"
        return "DEPROVISIONING"


@dataclass(frozen=True, slots=True)
class Course:
    """What a timeline is worked out from, StopTask apart."""

    created: float
    parts: Sequence[Part]
    failure: tuple[str, str] | None
    knobs: Knobs

    def timeline(self, stop: tuple[float, str] | None = None) -> Timeline:
        """The timeline, as it is without a StopTask or with one."""
        knobs, first = self.knobs, self.parts[0].script
        pending = self.created + _first(first.provisioning_seconds, knobs.provisioning_seconds)
        started = pending + _first(first.pending_seconds, knobs.pending_seconds)
        stopped_early = stop is not None and stop[0] < started
        if stop is not None and stopped_early:
            return self._never_started(pending, stop[0], "UserInitiated", stop[1], {})
        for index, part in enumerate(self.parts):
            if part.script.fail_to_start:
                code, reason, why = _start_failure(part.script.fail_to_start)
                reasons = {index: why} if why else {}
                return self._never_started(pending, started, code, reason, reasons)
        if self.failure:
            return self._never_started(pending, started, *self.failure, {})
        return self._run(pending, started, stop)

    def _never_started(
        self, pending: float, stopping: float, code: str, reason: str, why: dict[int, str]
    ) -> Timeline:
        exits = tuple(Exit(math.inf, None, why.get(i)) for i in range(len(self.parts)))
        stopped = stopping + self.knobs.deprovisioning_seconds
        never = math.inf
        return Timeline(
            self.created, pending, never, stopping, stopping, never, stopped, code, reason, exits
        )

    def _run(self, pending: float, started: float, stop: tuple[float, str] | None) -> Timeline:
        alone = [self._alone(part.script, started) for part in self.parts]
        ends = [one.at for one, part in zip(alone, self.parts, strict=True) if part.essential]
        end = min([*ends, max(one.at for one in alone)])
        causes = [(end, "EssentialContainerExited", "Essential container in task exited")]
        causes += [
            (started + taken[0], taken[1], taken[2])
            for part in self.parts
            if (taken := part.script.interruption()) is not None
        ]
        if stop is not None:
            causes.append((stop[0], "UserInitiated", stop[1]))
        stopping, code, reason = min(causes)
        deactivated = stopping + self.knobs.deactivating_seconds
        exits = tuple(
            one if one.at <= stopping else _terminated(part, deactivated, one)
            for one, part in zip(alone, self.parts, strict=True)
        )
        execution_stopped = max(one.at for one in exits)
        stopped = max(execution_stopped, deactivated) + self.knobs.deprovisioning_seconds
        return Timeline(
            self.created,
            pending,
            started,
            stopping,
            deactivated,
            execution_stopped,
            stopped,
            code,
            reason,
            exits,
        )

    def _alone(self, script: Script, started: float) -> Exit:
        at = started + script.duration(self.knobs.default_run_seconds)
        if script.oom:
            return Exit(at, KILLED, OUT_OF_MEMORY)
        return Exit(at, script.exit_code)


def _terminated(part: Part, at: float, alone: Exit) -> Exit:
    script = part.script
    if script.ignores_term or script.term_seconds > part.stop_timeout:
        told = Exit(at + part.stop_timeout, KILLED)
    else:
        told = Exit(at + script.term_seconds, script.term_exit_code)
    # It may come to its own end while it is being stopped.
    return alone if alone.at <= told.at else told


def _start_failure(told: Any) -> tuple[str, str, str]:
    code = told.get("stopCode", "TaskFailedToStart")
    reason = told.get("stoppedReason", "Task failed to start")
    return code, reason, told.get("reason", "")


def _first(own: float | None, otherwise: float) -> float:
    return otherwise if own is None else own
