"""StopTask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators.aws.ecs.clusters import cluster_of
from tests.emulators.aws.ecs.reading import find_task
from tests.emulators.aws.errors import ApiError

if TYPE_CHECKING:
    from tests.emulators.aws.regions import Region

#: [?] What ``stoppedReason`` says when the caller gives no reason.
NO_REASON = "Task stopped by user"


def stop_task(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """StopTask: a task that is on its way to its end already stays on it."""
    cluster = cluster_of(region, request)
    task = find_task(region, cluster, request["task"])
    now = region.now()
    # [?] A task that is too new to be described is believed to be too new to be stopped.
    if task is None or now < task.visible:
        raise ApiError("InvalidParameterException", "The referenced task was not found.")
    if now < task.timeline.stopping:
        task.timeline = task.course.timeline((now, request.get("reason") or NO_REASON))
    # Documented: "Any tags associated with the task will be deleted."
    task.tags.clear()
    return {"task": task.read(now, tags=True)}
