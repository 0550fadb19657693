"""RunTask: once for each clientToken."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.ecs.asking import check_request
from tests.emulators.aws.ecs.clusters import cluster_of
from tests.emulators.aws.ecs.definitions import find
from tests.emulators.aws.ecs.making import Asked, new_task
from tests.emulators.aws.ecs.overrides import merged_overrides
from tests.emulators.aws.ecs.tags import read_tags
from tests.emulators.aws.errors import ApiError
from tests.emulators.aws.regions import Launch

if TYPE_CHECKING:
    from tests.emulators.aws.ecs.tasks import Task
    from tests.emulators.aws.regions import Region

CAPACITY: Final = (
    "Capacity is unavailable at this time. Please try again later or in a different "
    "availability zone"
)


def run_task(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """RunTask."""
    cluster = cluster_of(region, request, active=True)
    token = request.get("clientToken")
    _expire(region)
    # [?] The token is believed to count before all else: a retry finds its task even if the
    # definition was deregistered since. The task is given as it is now.
    if token and (launch := region.launches.get((cluster, token))) is not None:
        return _again(region, launch, request)
    revision = find(region, request["taskDefinition"])
    if revision is None:
        raise ApiError("ClientException", "TaskDefinition not found.")
    if revision.status != "ACTIVE":
        raise ApiError("ClientException", "TaskDefinition is inactive")
    check_request(region, request, revision)
    overrides = merged_overrides(request, revision)
    tasks: list[Task] = []
    failures = [
        {"arn": region.arn("ecs", "fargate"), "reason": fault.message or CAPACITY}
        for fault in region.faults
        if fault.kind == "no_capacity"
    ]
    if not failures:
        tags = read_tags(request.get("tags", []))
        if request.get("propagateTags") == "TASK_DEFINITION":
            tags = {**revision.tags, **tags}
        asked = Asked(region, cluster, revision.document, request, overrides)
        tasks = [new_task(asked, revision, dict(tags)) for _ in range(request.get("count", 1))]
    if token and (tasks or region.knobs.client_token_remembers_failures):
        launch = Launch(region.now(), _digest(request), tasks, failures)
        region.launches[cluster, token] = launch
    return _answer(region, tasks, failures)


def _again(region: Region, launch: Launch, request: dict[str, Any]) -> dict[str, Any]:
    if launch.digest != _digest(request):
        raise ApiError(
            "ConflictException",
            "The provided clientToken is already in use with a different RunTask request.",
            members={"resourceIds": [task.arn for task in launch.tasks]},
        )
    return _answer(region, launch.tasks, launch.failures)


def _answer(region: Region, tasks: list[Task], failures: list[dict[str, Any]]) -> dict[str, Any]:
    now = region.now()
    read = [task.read(now, tags=True) for task in tasks]
    if region.knobs.empty_containers:
        for one in read:
            one["containers"] = []
    return {"tasks": read, "failures": failures}


def _digest(request: dict[str, Any]) -> str:
    rest = {name: value for name, value in request.items() if name != "clientToken"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _expire(region: Region) -> None:
    knobs, now = region.knobs, region.now()
    # Oldest first, so the first token that is still good ends the sweep.
    while region.launches:
        key = next(iter(region.launches))
        if now - region.launches[key].at < knobs.client_token_seconds:
            return
        del region.launches[key]
