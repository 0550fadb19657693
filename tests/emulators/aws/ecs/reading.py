"""DescribeTasks and ListTasks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.ecs.clusters import cluster_of
from tests.emulators.aws.ecs.definitions import page_size
from tests.emulators.aws.errors import break_rule
from tests.emulators.aws.paging import page

if TYPE_CHECKING:
    from tests.emulators.aws.ecs.tasks import Task
    from tests.emulators.aws.regions import Region

MOST: Final = 100
_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f-]{36}")
_FILTERS: Final = ("containerInstance", "family", "serviceName", "launchType", "daemonName")


def describe_tasks(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeTasks."""
    cluster = cluster_of(region, request)
    references = request["tasks"]
    if not references:
        break_rule("InvalidParameterException", "Tasks cannot be empty.")
    if len(references) > MOST:
        break_rule("InvalidParameterException", f"tasks: {len(references)} are more than {MOST}")
    now = region.now()
    tags = "TAGS" in request.get("include", [])
    found, failures = [], []
    for reference in references:
        task = find_task(region, cluster, reference)
        if task is None or now < task.visible:
            arn = region.arn("ecs", f"task/{cluster}/{task_id(reference)}")
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(task.read(now, tags=tags))
    return {"tasks": found, "failures": failures}


def list_tasks(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """ListTasks: those that should be running, unless asked for the others."""
    cluster = cluster_of(region, request)
    started_by = request.get("startedBy")
    if started_by is not None:
        others: list[str] = [name for name in _FILTERS if name in request]
        if region.knobs.started_by_alone and "desiredStatus" in request:
            others.append("desiredStatus")
        if others:
            message = f"startedBy must be the only filter; there is {', '.join(others)} too"
            break_rule("InvalidParameterException", message)
    sweep(region)
    now = region.now()
    arns = [
        task.arn
        for (home, _), task in region.tasks.items()
        if home == cluster and now >= task.visible and _matches(task, request, now)
    ]
    # In no order that means anything, as AWS gives none.
    found, more = page(sorted(arns), request, page_size(request))
    return {"taskArns": found, **more}


def _matches(task: Task, request: dict[str, Any], now: float) -> bool:
    if task.desired_status(now) != request.get("desiredStatus", "RUNNING"):
        return False
    if request.keys() & {"containerInstance", "serviceName", "daemonName"}:
        return False
    return (
        request.get("startedBy") in {None, task.started_by}
        and request.get("family") in {None, task.family}
        and request.get("launchType") in {None, task.launch_type}
    )


def find_task(region: Region, cluster: str, reference: str) -> Task | None:
    """The task, unless it stopped too long ago."""
    key = (cluster, task_id(reference))
    if ":task/" in reference and cluster not in reference.split(":task/", 1)[1].split("/"):
        return None
    task = region.tasks.get(key)
    if task is not None and _is_over(region, task):
        del region.tasks[key]
        return None
    return task


def task_id(reference: str) -> str:
    """The id in an id or an ARN.

    Raises:
        ApiError: It is neither.
    """
    found = reference.rsplit("/", 1)[-1]
    if not _ID.fullmatch(found):
        break_rule("InvalidParameterException", f"taskId length should be one of [32,36]: {found}")
    return found


def sweep(region: Region) -> None:
    """Forget the tasks that stopped too long ago."""
    for key in [key for key, task in region.tasks.items() if _is_over(region, task)]:
        del region.tasks[key]


def _is_over(region: Region, task: Task) -> bool:
    return region.now() >= task.timeline.stopped + region.knobs.stopped_tasks_expire_after
