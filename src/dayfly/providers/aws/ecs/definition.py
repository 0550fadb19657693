"""From a job to a task definition: what of it cannot be overridden when a task is run.

Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.providers.aws.secrets import value_from

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec
    from dayfly.providers.aws.config import Config

#: The job's own container in a definition of dayfly's.
CONTAINER: Final = "job"
STREAM_PREFIX: Final = "dayfly"

MAX_GRACE_SECONDS: Final = 120
_MAX_DEFINITION_BYTES: Final = 64 * 1024
_ARCHITECTURES: Final = {"linux/amd64": "X86_64", "linux/arm64": "ARM64"}
#: The smallest pair of Fargate; each run says what it gets.
_LEAST: Final = {"cpu": "256", "memory": "512"}


def content_of(spec: JobSpec, config: Config, region: str) -> dict[str, Any]:
    """All of a definition but its family, for every run of the same content.

    Args:
        spec: The job.
        config: Roles, logs, launch type.
        region: Where its log group is.

    Raises:
        InvalidField: A field is beyond what ECS takes.
        FailedPrecondition: A role that ECS needs for it is not configured.
        NotFound: A secret's portable name is not configured.
    """
    _refuse(spec, config)
    content: dict[str, Any] = {
        "networkMode": "awsvpc" if config.fargate or config.subnets else "bridge",
        "requiresCompatibilities": ["FARGATE" if config.fargate else "EC2"],
        **_LEAST,
        "containerDefinitions": [_container(spec, config, region)],
        "runtimePlatform": {
            "cpuArchitecture": _ARCHITECTURES.get(spec.platform, config.architecture),
            "operatingSystemFamily": "LINUX",
        },
    }
    if config.execution_role:
        content["executionRoleArn"] = config.execution_role
    if config.task_role:
        content["taskRoleArn"] = config.task_role
    return content


def content_of_one(
    content: dict[str, Any], command: tuple[str, ...], env: list[dict[str, str]]
) -> dict[str, Any]:
    """A definition for one run, with what is too long to override in it.

    Raises:
        InvalidField: It is too long for a definition too.
    """
    [container] = content["containerDefinitions"]
    own = container | {"environment": env} | ({"command": list(command)} if command else {})
    whole = content | {"containerDefinitions": [own]}
    size = len(json.dumps(whole).encode())
    if size > _MAX_DEFINITION_BYTES:
        argv, variables = len(json.dumps(command)), len(json.dumps(env))
        raise InvalidField(
            f"command and env take {argv + variables} bytes, and a task definition holds "
            f"{_MAX_DEFINITION_BYTES} in all",
            field="command" if argv > variables else "env",
            advice="Pass large input by reference: an object in S3, a file in the image.",
        )
    return whole


def _container(spec: JobSpec, config: Config, region: str) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": spec.image,
        "essential": True,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": config.log_group,
                "awslogs-region": region,
                "awslogs-stream-prefix": STREAM_PREFIX,
                # ECS's own default drops lines when the buffer is full.
                "mode": "blocking",
            },
        },
    }
    if spec.entrypoint:
        container["entryPoint"] = list(spec.entrypoint)
    if spec.working_dir:
        container["workingDirectory"] = spec.working_dir
    if spec.user:
        container["user"] = spec.user
    if spec.grace_period_seconds is not None:
        container["stopTimeout"] = spec.grace_period_seconds
    if spec.secrets:
        references = value_from(spec.secrets, config.secrets)
        container["secrets"] = [
            {"name": name, "valueFrom": reference} for name, reference in references.items()
        ]
    return container


def _refuse(spec: JobSpec, config: Config) -> None:
    if not spec.image:
        raise InvalidField(
            "image is empty; a task needs one", field="image", advice="Give --image."
        )
    if spec.platform and spec.platform not in _ARCHITECTURES:
        raise InvalidField(
            f"platform is {spec.platform!r}; allowed: {', '.join(_ARCHITECTURES)}",
            field="platform",
        )
    grace = spec.grace_period_seconds
    if grace is not None and grace > MAX_GRACE_SECONDS:
        raise InvalidField(
            f"grace_period_seconds is {grace}; ECS takes at most {MAX_GRACE_SECONDS} s",
            field="grace_period_seconds",
        )
    if not config.execution_role and (config.fargate or spec.secrets):
        why = "read its secrets" if spec.secrets else "pull images and write logs"
        raise FailedPrecondition(
            f"execution_role is not configured, and ECS needs one to {why}",
            field="execution_role",
            advice="Set execution_role in [providers.NAME] to the ARN of a role that "
            "ecs-tasks.amazonaws.com may assume; `dayfly doctor` prints its policy.",
        )
