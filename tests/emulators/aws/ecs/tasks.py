"""A task: what was asked for, when it is where, and how it reads at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.emulators.aws.ecs.definitions import Revision
    from tests.emulators.aws.ecs.timeline import Course, Exit, Timeline

_VERSIONS: Final = (
    "PROVISIONING",
    "PENDING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)


@dataclass(slots=True)
class Task:
    """One task.

    Attributes:
        arn: Its ARN.
        family: Of its definition.
        revision: Its definition.
        started_by: As RunTask was told.
        launch_type: FARGATE, or what it was.
        course: What its timeline is worked out from.
        timeline: When it is in which state.
        visible: From when DescribeTasks and ListTasks know it.
        fixed: Members that do not change.
        containers: Members of its containers that do not change.
        tags: Its tags.
        late_exit_code: The exit code appears at STOPPED only.
    """

    arn: str
    family: str
    revision: Revision
    started_by: str
    launch_type: str
    course: Course
    timeline: Timeline
    visible: float
    fixed: dict[str, Any]
    containers: list[dict[str, Any]]
    tags: dict[str, str] = field(default_factory=dict)
    late_exit_code: bool = False

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]

    def desired_status(self, now: float) -> str:
        """RUNNING until it is on its way to its end."""
        return "STOPPED" if now >= self.timeline.stopping else "RUNNING"

    def read(self, now: float, *, tags: bool) -> dict[str, Any]:
        """As DescribeTasks gives it."""
        line = self.timeline
        status = line.status(now)
        read = {
            **self.fixed,
            "lastStatus": status,
            "desiredStatus": self.desired_status(now),
            "version": _VERSIONS.index(status) + 1,
            "createdAt": line.created,
            "containers": self._containers(now, status),
            "tags": [{"key": key, "value": self.tags[key]} for key in self.tags] if tags else [],
        }
        if now >= line.pending:
            read["connectivity"] = "CONNECTED"
            read["connectivityAt"] = read["pullStartedAt"] = line.pending
        if now >= line.started:
            read["pullStoppedAt"] = read["startedAt"] = line.started
        if now >= line.stopping:
            read["stoppingAt"] = line.stopping
            read["stopCode"] = line.stop_code
            read["stoppedReason"] = line.stopped_reason
        if now >= line.execution_stopped:
            read["executionStoppedAt"] = line.execution_stopped
        if now >= line.stopped:
            read["stoppedAt"] = line.stopped
        return read

    def _containers(self, now: float, status: str) -> list[dict[str, Any]]:
        exits = self.timeline.exits
        return [
            {**fixed, **self._end(end, now, status)}
            for fixed, end in zip(self.containers, exits, strict=True)
        ]

    def _end(self, end: Exit, now: float, status: str) -> dict[str, Any]:
        if now >= end.at:
            ended: dict[str, Any] = {"lastStatus": "STOPPED"}
            if status == "STOPPED" or not self.late_exit_code:
                ended["exitCode"] = end.code
                if end.reason:
                    ended["reason"] = end.reason
            return ended
        if status == "STOPPED":
            # It never ran: there is no exit code, at most a reason.
            return {"lastStatus": "STOPPED", **({"reason": end.reason} if end.reason else {})}
        return {"lastStatus": "RUNNING" if now >= self.timeline.started else "PENDING"}

    def moments(self) -> dict[str, Any]:
        """What a bench compares with what its client noticed; null is never."""
        line = self.timeline
        ended = [
            (one.at if math.isfinite(one.at) else None, one.code, fixed["name"])
            for one, fixed in zip(line.exits, self.containers, strict=True)
        ]
        return {
            "arn": self.arn,
            "startedBy": self.started_by,
            "created": line.created,
            "started": _finite(line.started),
            "stopping": _finite(line.stopping),
            "execution_stopped": _finite(line.execution_stopped),
            "stopped": _finite(line.stopped),
            "stop_code": line.stop_code,
            "exits": [{"at": at, "code": code, "name": name} for at, code, name in ended],
        }


def _finite(moment: float) -> float | None:
    return moment if math.isfinite(moment) else None
