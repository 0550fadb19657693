"""A task from what RunTask was asked for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.ecs.overrides import commands
from tests.emulators.aws.ecs.surroundings import open_streams, start_failure
from tests.emulators.aws.ecs.tasks import Task
from tests.emulators.aws.ecs.timeline import Course, Part
from tests.emulators.aws.errors import break_rule
from tests.emulators.aws.script import Script, read_script

if TYPE_CHECKING:
    from tests.emulators.aws.ecs.definitions import Revision
    from tests.emulators.aws.regions import Region

DEFAULT_STOP_TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a launch is made of, checked."""

    region: Region
    cluster: str
    definition: dict[str, Any]
    request: dict[str, Any]
    overrides: dict[str, Any]


def new_task(asked: Asked, revision: Revision, tags: dict[str, str]) -> Task:
    """One task, which begins now."""
    region, definition = asked.region, asked.definition
    knobs, now = region.knobs, region.now()
    containers = definition["containerDefinitions"]
    failure = start_failure(region, definition)
    parts = [
        Part(_script(command), bool(one["essential"]), _stop_timeout(region, one))
        for one, command in zip(containers, commands(definition, asked.overrides), strict=True)
    ]
    course = Course(now, parts, failure, knobs)
    arn = region.arn("ecs", f"task/{asked.cluster}/{uuid.uuid4().hex}")
    task = Task(
        arn=arn,
        family=definition["family"],
        revision=revision,
        started_by=asked.request.get("startedBy", ""),
        launch_type=_launch_type(asked.request),
        course=course,
        timeline=course.timeline(),
        visible=now + knobs.missing_seconds,
        fixed=_fixed(asked, arn),
        containers=[_container(region, arn, one) for one in containers],
        tags=tags,
        late_exit_code=knobs.exit_code_at_stopped_only,
    )
    region.tasks[asked.cluster, task.id] = task
    if failure is None:
        open_streams(region, definition, task)
    return task


def _script(command: list[str]) -> Script:
    try:
        return read_script(command)
    except (TypeError, ValueError) as error:
        break_rule("InvalidParameterException", f"command: {error}")


def _stop_timeout(region: Region, container: dict[str, Any]) -> float:
    shorter = region.knobs.kill_after_seconds
    if shorter is not None:
        return shorter
    return float(container.get("stopTimeout", DEFAULT_STOP_TIMEOUT))


def _launch_type(request: dict[str, Any]) -> str:
    if "capacityProviderStrategy" in request:
        return "FARGATE"
    return str(request.get("launchType", "EC2"))


def _fixed(asked: Asked, arn: str) -> dict[str, Any]:
    region, definition = asked.region, asked.definition
    request, overrides = asked.request, asked.overrides
    fixed = {
        "taskArn": arn,
        "clusterArn": region.arn("ecs", f"cluster/{asked.cluster}"),
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "group": request.get("group") or f"family:{definition['family']}",
        "launchType": _launch_type(request),
        "cpu": overrides.get("cpu") or definition.get("cpu", "0"),
        "memory": overrides.get("memory") or definition.get("memory", "0"),
        "overrides": overrides,
        "attributes": [],
        "inferenceAccelerators": [],
        "healthStatus": "UNKNOWN",
        "availabilityZone": f"{region.name}a",
        "enableExecuteCommand": bool(request.get("enableExecuteCommand", False)),
        "attachments": _attachments(request),
    }
    if request.get("startedBy"):
        fixed["startedBy"] = request["startedBy"]
    if strategy := request.get("capacityProviderStrategy"):
        fixed["capacityProviderName"] = strategy[0]["capacityProvider"]
    if fixed["launchType"] == "FARGATE":
        fixed["platformVersion"] = "1.4.0"
        fixed["platformFamily"] = "Linux"
        fixed["ephemeralStorage"] = {"sizeInGiB": 20}
    return fixed


def _attachments(request: dict[str, Any]) -> list[dict[str, Any]]:
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if not network:
        return []
    subnet = {"name": "subnetId", "value": network["subnets"][0]}
    kind = "ElasticNetworkInterface"
    return [{"id": str(uuid.uuid4()), "type": kind, "status": "PRECREATED", "details": [subnet]}]


def _container(region: Region, arn: str, container: dict[str, Any]) -> dict[str, Any]:
    place = arn.rsplit(":task/", 1)[-1]
    return {
        "containerArn": region.arn("ecs", f"container/{place}/{uuid.uuid4()}"),
        "taskArn": arn,
        "name": container["name"],
        "image": container["image"],
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(container.get("cpu", 0)),
    }
