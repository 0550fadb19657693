"""From a job to a task definition: what of it cannot be overridden when a task is run.

Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.providers.aws.container import (
    log_configuration,
    refuse_unfit,
    runtime_platform,
    secrets_of,
)

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec
    from dayfly.providers.aws.config import Config

#: The job's own container in a definition of dayfly's.
CONTAINER: Final = "job"

#: Source: .../APIReference/API_ContainerDefinition.html (stopTimeout, image)
MAX_GRACE_SECONDS: Final = 120
_LEAST_FARGATE_GRACE_SECONDS: Final = 2
#: Before the digest.
_MAX_IMAGE: Final = 255
#: Of a task on instances. Source: .../APIReference/API_RegisterTaskDefinition.html (cpu)
_LEAST_CPUS: Final = 0.125
_MAX_DEFINITION_BYTES: Final = 64 * 1024
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
        "runtimePlatform": runtime_platform(spec, config),
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
        "logConfiguration": log_configuration(config, region),
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
        container["secrets"] = secrets_of(spec, config)
    return container


def _refuse(spec: JobSpec, config: Config) -> None:
    if not 0 < len(spec.image.partition("@")[0]) <= _MAX_IMAGE:
        raise InvalidField(
            f"image has {len(spec.image)} characters; ECS takes 1 to {_MAX_IMAGE}, a digest not "
            "counted",
            field="image",
            advice="Give --image.",
        )
    grace, least = spec.grace_period_seconds, _LEAST_FARGATE_GRACE_SECONDS if config.fargate else 0
    if grace is not None and not least <= grace <= MAX_GRACE_SECONDS:
        raise InvalidField(
            f"grace_period_seconds is {grace}; ECS takes {least} to {MAX_GRACE_SECONDS} s",
            field="grace_period_seconds",
        )
    cpus = spec.resources.cpus
    if not config.fargate and cpus is not None and cpus < _LEAST_CPUS:
        raise InvalidField(
            f"resources.cpus is {cpus:g}; a task takes {_LEAST_CPUS} vCPU at least",
            field="resources.cpus",
        )
    refuse_unfit(spec, config, "ECS")
