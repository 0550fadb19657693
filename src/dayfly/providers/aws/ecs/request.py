"""The RunTask request of a job: overrides, network, place, tags."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.identity import intent_digest, key_digest
from dayfly.providers.aws.container import environment_of
from dayfly.providers.aws.sizes import Size, fargate_size, shared_size
from dayfly.providers.aws.tags import tags_of

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec, Submission
    from dayfly.providers.aws.config import Config

#: What the overrides of one task may take, as JSON.
#: Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html
MAX_OVERRIDES: Final = 8192

_STARTED_BY: Final = "dayfly/"


def started_by(key: str) -> str:
    """What a key's tasks can be found by; unlike a tag it outlives a stop."""
    return _STARTED_BY + key_digest(key)


def is_own(task: dict[str, Any]) -> bool:
    """Dayfly launched the task."""
    return str(task.get("startedBy", "")).startswith(_STARTED_BY)


def client_token(submission: Submission) -> str:
    """ECS starts one task for it, however often it is sent: 64 characters at most."""
    said = f"{submission.key}\n{submission.instead_of}"
    return "dayfly-" + hashlib.sha256(said.encode()).hexdigest()[:40]


def size_of(spec: JobSpec, config: Config) -> Size:
    """What the task gets.

    Raises:
        InvalidField: Fargate has no such size.
    """
    return fargate_size(spec.resources) if config.fargate else shared_size(spec.resources)


def overrides_of(spec: JobSpec, container: str, size: Size | None) -> dict[str, Any]:
    """What this run has of its own.

    Args:
        spec: The job.
        container: Name of its container in the definition.
        size: CPU and memory of the task; None leaves them to the definition.
    """
    own: dict[str, Any] = {"name": container}
    if spec.argv:
        own["command"] = list(spec.argv)
    if spec.env:
        own["environment"] = environment_of(spec)
    overrides: dict[str, Any] = {"containerOverrides": [own]}
    if size is not None:
        overrides |= {"memory": str(size.memory)} | ({"cpu": str(size.cpu)} if size.cpu else {})
    return overrides


def too_long(overrides: dict[str, Any]) -> bool:
    """ECS would refuse the overrides for their length."""
    return len(json.dumps(overrides)) > MAX_OVERRIDES


def run_task(
    submission: Submission,
    config: Config,
    definition: str,
    overrides: dict[str, Any],
    *,
    awsvpc: bool,
) -> dict[str, Any]:
    """The whole request.

    Args:
        submission: The job and its key.
        config: Where it runs.
        definition: ARN of the task definition.
        overrides: From ``overrides_of``.
        awsvpc: The definition's network mode is awsvpc.

    Raises:
        FailedPrecondition: The network mode needs subnets, and none are configured.
        InvalidField: A label is no tag of AWS's.
    """
    spec = submission.spec
    request: dict[str, Any] = {
        "cluster": config.cluster,
        "taskDefinition": definition,
        "count": 1,
        "clientToken": client_token(submission),
        "startedBy": started_by(submission.key),
        "overrides": overrides,
        "tags": tags_of(submission.key, intent_digest(spec), spec.name, spec.labels),
    }
    if config.launch_type == "FARGATE_SPOT":
        request["capacityProviderStrategy"] = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    else:
        request["launchType"] = config.launch_type
    if awsvpc:
        request["networkConfiguration"] = {"awsvpcConfiguration": _network(config)}
    return request


def _network(config: Config) -> dict[str, Any]:
    if not config.subnets:
        raise FailedPrecondition(
            "subnets is not configured, and a task of network mode awsvpc joins one",
            field="subnets",
            advice="Set subnets in [providers.NAME] to ids of the cluster's VPC.",
        )
    return {
        "subnets": list(config.subnets),
        **({"securityGroups": list(config.security_groups)} if config.security_groups else {}),
        "assignPublicIp": "ENABLED" if config.assign_public_ip else "DISABLED",
    }
