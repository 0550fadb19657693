"""Where a task's output is: the stream that the awslogs driver names after it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dayfly.contract.errors import DataLoss
from dayfly.providers.aws.ecs.handles import region_of, task_id
from dayfly.providers.aws.logs.reader import LogPlace

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle


def log_place_of(handle: JobHandle, *, ended: bool = False) -> LogPlace:
    """Group and stream of a task.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html

    Args:
        handle: Its metadata says how its definition logs.
        ended: The task has stopped.

    Raises:
        DataLoss: Its output does not go to CloudWatch Logs, or nothing says where.
    """
    about = handle.metadata
    group, prefix = about.get("log_group", ""), about.get("log_prefix", "")
    if not group or not prefix:
        raise DataLoss(
            f"the output of task {task_id(handle)} does not go to CloudWatch Logs under a "
            "stream prefix, so it cannot be read here",
            advice="Give the container of the task definition the log driver awslogs with "
            "awslogs-group and awslogs-stream-prefix.",
        )
    made = about.get("created", "")
    return LogPlace(
        region=about.get("log_region", "") or region_of(handle),
        group=group,
        stream=f"{prefix}/{about.get('container', '')}/{task_id(handle)}",
        since=datetime.fromtimestamp(int(made) / 1000, UTC) if made.isdecimal() else None,
        ended=ended,
    )
