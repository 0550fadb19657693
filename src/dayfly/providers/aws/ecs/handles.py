"""A task as a handle: all that is needed to come back to it, on any machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import DayflyError, NotFound, Unavailable
from dayfly.contract.identity import name_for
from dayfly.contract.jobs import JobHandle
from dayfly.providers.aws.young import is_new

if TYPE_CHECKING:
    from datetime import datetime

    from dayfly.contract.jobs import Submission

_TASK: Final = re.compile(
    r"arn:[\w-]+:ecs:[a-z0-9-]+:\d{12}:task/(?:[\w-]{1,255}/)?[0-9a-f-]{32,36}"
)


def handle_of(task: dict[str, Any], submission: Submission, metadata: dict[str, str]) -> JobHandle:
    """The handle of a task that was just run.

    Args:
        task: As RunTask or DescribeTasks gives it.
        submission: What it was run for.
        metadata: Where its definition puts its output, and what was made for it alone.
    """
    return JobHandle(
        id=str(task["taskArn"]),
        name=name_for(submission.key, submission.spec.name),
        provider="aws",
        metadata={"runner": "ecs", "created": created(task), **metadata},
    )


def created(task: dict[str, Any]) -> str:
    """When the task was made, in milliseconds since 1970; empty where ECS does not say yet."""
    at: datetime | None = task.get("createdAt")
    return str(int(at.timestamp() * 1000)) if at else ""


def is_task(handle: JobHandle) -> bool:
    """The handle's id is the ARN of a task."""
    return bool(_TASK.fullmatch(handle.id))


def region_of(handle: JobHandle) -> str:
    """Where the task is: its ARN says."""
    return handle.id.split(":")[3]


def cluster_of(handle: JobHandle) -> str:
    """The cluster's name or ARN."""
    return handle.metadata.get("cluster", "default")


def cluster_in(task_arn: str, asked: str) -> str:
    """The cluster that was asked, unless the task's ARN names another."""
    _, *cluster, _ = task_arn.rsplit(":", maxsplit=1)[-1].split("/")
    known = not cluster or cluster[0] == asked.rsplit("/", maxsplit=1)[-1]
    return asked if known else cluster[0]


def unseen(handle: JobHandle) -> DayflyError:
    """Why a task cannot be acted on: it is too new to be visible, or there is none."""
    if is_new(handle):
        return Unavailable(f"the task {task_id(handle)} is not visible at ECS yet")
    return not_found(handle)


def task_id(handle: JobHandle) -> str:
    """The last part of the task's ARN, which names its log stream too."""
    return handle.id.rsplit("/", maxsplit=1)[-1]


def not_found(handle: JobHandle) -> NotFound:
    """There is no such task."""
    return NotFound(
        f"ECS has no task {handle.id!r:.200}; it keeps a stopped one for about an hour",
        field="handle.id",
    )
