"""What a task finds around it when it starts: secrets and log groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.logs.groups import Group, exists
from tests.emulators.aws.logs.streams import Stream

if TYPE_CHECKING:
    from tests.emulators.aws.ecs.tasks import Task
    from tests.emulators.aws.regions import Region

_FAILED: Final = "TaskFailedToStart"
_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")


def start_failure(region: Region, definition: dict[str, Any]) -> tuple[str, str] | None:
    """Why a task of this definition cannot start: stopCode and stoppedReason."""
    for container in definition["containerDefinitions"]:
        for secret in container.get("secrets", []):
            if why := _missing_secret(region, secret["valueFrom"]):
                return _FAILED, why
        options = _awslogs(container)
        if options and options.get("awslogs-create-group") != "true":
            group = region.groups.get(options["awslogs-group"])
            if group is None or not exists(region, group):
                return _FAILED, (
                    "ResourceInitializationError: failed to validate logger args: create stream "
                    "has been retried 1 times: failed to create Cloudwatch log stream: "
                    "ResourceNotFoundException: The specified log group does not exist. : "
                    "exit status 1"
                )
    return None


def open_streams(region: Region, definition: dict[str, Any], task: Task) -> None:
    """Give each container with awslogs the stream that its lines will be in."""
    for index, container in enumerate(definition["containerDefinitions"]):
        options = _awslogs(container)
        if options is None:
            continue
        group_name = options["awslogs-group"]
        group = region.groups.setdefault(group_name, Group(group_name))
        prefix = options.get("awslogs-stream-prefix", "ecs")
        stream = Stream(f"{prefix}/{container['name']}/{task.id}", task, index, region.knobs)
        group.streams[stream.name] = stream


def _awslogs(container: dict[str, Any]) -> dict[str, str] | None:
    logging = container.get("logConfiguration", {})
    return dict(logging["options"]) if logging.get("logDriver") == "awslogs" else None


def _missing_secret(region: Region, reference: str) -> str:
    head = "ResourceInitializationError: unable to pull secrets or registry auth: "
    if ":secretsmanager:" in reference:
        name = reference.split(":secret:", 1)[-1].split(":", maxsplit=1)[0]
        if name in region.knobs.secrets or _SUFFIX.sub("", name) in region.knobs.secrets:
            return ""
        return (
            f"{head}execution resource retrieval failed: unable to retrieve secret from asm: "
            "service call has been retried 1 time(s): failed to fetch secret "
            f"{reference} from secrets manager: ResourceNotFoundException: Secrets Manager "
            "can't find the specified secret."
        )
    name = reference.split(":parameter", 1)[-1]
    if name.strip("/") in {one.strip("/") for one in region.knobs.parameters}:
        return ""
    return (
        f"{head}execution resource retrieval failed: unable to retrieve secrets from ssm: "
        f"service call has been retried 1 time(s): Invalid ssm parameters: {name}"
    )
