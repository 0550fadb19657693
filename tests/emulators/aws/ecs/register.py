"""RegisterTaskDefinition, with the checks that the models do not have."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tests.emulators.aws.ecs.definitions import Family, Revision
from tests.emulators.aws.ecs.fargate import cpu_units, is_pair, memory_mib
from tests.emulators.aws.ecs.tags import read_tags
from tests.emulators.aws.errors import break_rule

if TYPE_CHECKING:
    from tests.emulators.aws.regions import Region

MOST_BYTES: Final = 64 * 1024
MOST_CONTAINERS: Final = 10
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_AWSLOGS: Final = ("awslogs-group", "awslogs-region", "awslogs-stream-prefix")


def register_task_definition(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """RegisterTaskDefinition: always a new revision, equal or not."""
    tags = read_tags(request.pop("tags", []))
    fargate = "FARGATE" in request.get("requiresCompatibilities", [])
    if "cpu" in request:
        request["cpu"] = cpu_units(request["cpu"])
    if "memory" in request:
        request["memory"] = memory_mib(request["memory"])
    _check_names(request)
    for container in request["containerDefinitions"]:
        _check_container(container, fargate=fargate)
        _check_place(region, container)
    if fargate:
        _check_fargate(request)
    size = len(json.dumps(request, separators=(",", ":")).encode())
    if size > MOST_BYTES:
        _refuse(f"Actual length: '{size}'. Max allowed length is '{MOST_BYTES}' bytes.")
    revision = _added(region, request, tags)
    answer: dict[str, Any] = {"taskDefinition": revision.document}
    if tags:
        answer["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    return answer


def _added(region: Region, request: dict[str, Any], tags: dict[str, str]) -> Revision:
    name = request["family"]
    family = region.families.setdefault(name, Family(name))
    family.latest += 1
    asked = request.get("requiresCompatibilities", [])
    document = {
        "volumes": [],
        "placementConstraints": [],
        "requiresAttributes": [],
        **request,
        "containerDefinitions": [_completed(one) for one in request["containerDefinitions"]],
        "taskDefinitionArn": region.arn("ecs", f"task-definition/{name}:{family.latest}"),
        "revision": family.latest,
        "status": "ACTIVE",
        "compatibilities": sorted({"EC2", *asked}),
        "registeredAt": region.now(),
        "registeredBy": region.knobs.caller.format(account=region.knobs.account),
    }
    family.revisions[family.latest] = Revision(document, tags)
    return family.revisions[family.latest]


def _completed(container: dict[str, Any]) -> dict[str, Any]:
    # What AWS fills in: a provider that compares what it sent with what it reads must know.
    filled = {"cpu": 0, "essential": True, "environment": [], "mountPoints": []}
    return {**filled, "portMappings": [], "volumesFrom": [], "systemControls": [], **container}


def _check_names(request: dict[str, Any]) -> None:
    containers = request["containerDefinitions"]
    if not _NAME.fullmatch(request["family"]):
        _refuse(f"family: {request['family']!r} is not 1 to 255 letters, digits, _ and -")
    if not 1 <= len(containers) <= MOST_CONTAINERS:
        _refuse(f"containerDefinitions: {len(containers)} are not 1 to {MOST_CONTAINERS}")
    names = [one.get("name", "") for one in containers]
    for name in names:
        if not _NAME.fullmatch(name):
            _refuse(f"Container.name: {name!r} is not 1 to 255 letters, digits, _ and -")
    if len(set(names)) < len(names):
        _refuse(f"containerDefinitions: a name is used twice in {names}")
    if not any(one.get("essential", True) for one in containers):
        _refuse("Invalid setting for container. At least one container must be essential.")


def _check_container(container: dict[str, Any], *, fargate: bool) -> None:
    name = container["name"]
    if not container.get("image"):
        _refuse("Container.image should not be null or empty.")
    plain = {one.get("name") for one in container.get("environment", [])}
    for secret in container.get("secrets", []):
        if secret["name"] in plain:
            _refuse(
                "The secret name must be unique and not shared with any new or existing "
                f"environment variables set on the container, such as '{secret['name']}'."
            )
    if fargate and not 0 <= container.get("stopTimeout", 0) <= 120:
        _refuse(f"{name}: stopTimeout must be between 2 and 120 seconds on Fargate")
    logging = container.get("logConfiguration", {})
    if logging.get("logDriver") == "awslogs":
        needed = _AWSLOGS if fargate else _AWSLOGS[:2]
        missing = [option for option in needed if option not in logging.get("options", {})]
        if missing:
            _refuse(f"Log driver awslogs requires options: {', '.join(missing)}")


def _check_place(region: Region, container: dict[str, Any]) -> None:
    options = container.get("logConfiguration", {}).get("options", {})
    if options.get("awslogs-region", region.name) != region.name:
        # AWS would write there; here it is taken for a mistake, which it mostly is.
        _refuse(f"{container['name']}: awslogs-region is not {region.name}; that is not emulated")


def _check_fargate(request: dict[str, Any]) -> None:
    if request.get("networkMode") != "awsvpc":
        _refuse("Fargate only supports network mode 'awsvpc'.")
    cpu, memory = request.get("cpu"), request.get("memory")
    if not cpu:
        _refuse("Fargate requires that 'cpu' be defined at the task level.")
    if not memory:
        _refuse("Fargate requires that 'memory' be defined at the task level.")
    if not is_pair(cpu, memory):
        _refuse(f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.")
    storage = request.get("ephemeralStorage", {}).get("sizeInGiB", 21)
    if not 21 <= storage <= 200:
        _refuse(f"ephemeralStorage: {storage} GiB are not 21 to 200")
    if not request.get("executionRoleArn"):
        _check_role(request)


def _check_role(request: dict[str, Any]) -> None:
    for container in request["containerDefinitions"]:
        role = "Fargate requires task definition to have execution role ARN to support"
        if container.get("secrets"):
            _refuse(f"{role} secrets.")
        if container.get("logConfiguration", {}).get("logDriver") == "awslogs":
            _refuse(f"{role} log driver awslogs.")
        if ".dkr.ecr." in container["image"]:
            _refuse(f"{role} ECR images.")


def _refuse(message: str) -> NoReturn:
    break_rule("ClientException", message)
