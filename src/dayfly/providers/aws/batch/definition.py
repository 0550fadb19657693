"""From a job to a job definition: what of it cannot be overridden when a job is submitted.

Source of names and limits: docs.aws.amazon.com/batch/latest/userguide/, pages
job_definition_parameters.html and service_limits.html
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.providers.aws.container import (
    log_configuration,
    refuse_unfit,
    runtime_platform,
    secrets_of,
)
from dayfly.providers.aws.sizes import Size, fargate_size, shared_size

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec, Resources
    from dayfly.providers.aws.config import Config

MAX_DEFINITION_BYTES: Final = 24 * 1024

_MAX_IMAGE: Final = 255
_LEAST_MEMORY_MIB: Final = 512


def content_of(spec: JobSpec, config: Config, region: str) -> dict[str, Any]:
    """All of a definition but its name, for every run of the same content.

    Args:
        spec: The job.
        config: Roles, logs, launch type.
        region: Where its log group is.

    Raises:
        InvalidField: A field is beyond what Batch takes.
        FailedPrecondition: A role that Batch needs for it is not configured.
        NotFound: A secret's portable name is not configured.
    """
    _refuse(spec, config)
    return {
        "type": "container",
        "platformCapabilities": ["FARGATE" if config.fargate else "EC2"],
        "propagateTags": True,
        "containerProperties": _container(spec, config, region),
    }


def content_of_one(
    content: dict[str, Any], command: list[str], environment: list[dict[str, str]]
) -> dict[str, Any]:
    """A definition for one run, with what is too long to override in it.

    Raises:
        InvalidField: It is too long for a definition too.
    """
    own = {"environment": environment} | ({"command": command} if command else {})
    whole = content | {"containerProperties": content["containerProperties"] | own}
    size = len(json.dumps(whole).encode())
    if size > MAX_DEFINITION_BYTES:
        argv, variables = len(json.dumps(command)), len(json.dumps(environment))
        raise InvalidField(
            f"command and env take {argv + variables} bytes, and a job definition holds "
            f"{MAX_DEFINITION_BYTES} in all",
            field="command" if argv > variables else "env",
            advice="Pass large input by reference: an object in S3, a file in the image.",
        )
    return whole


def size_of(resources: Resources, *, fargate: bool) -> Size:
    """What the job gets.

    Raises:
        InvalidField: Fargate has no such size.
    """
    if fargate:
        return fargate_size(resources)
    size, cpus = shared_size(resources), resources.cpus
    # On EC2 Batch counts whole vCPUs, one at least.
    whole = max(math.ceil(cpus or 0), 1)
    raised = cpus is not None and cpus < whole
    note = f"Batch on EC2: rounded up {cpus:g} vCPU to {whole}." if raised else ""
    return Size(whole * 1024, size.memory, note)


def requirements(size: Size) -> list[dict[str, str]]:
    """A size, as Batch lists it."""
    return [
        {"type": "VCPU", "value": f"{size.vcpus:g}"},
        {"type": "MEMORY", "value": str(size.memory)},
    ]


def _container(spec: JobSpec, config: Config, region: str) -> dict[str, Any]:
    container: dict[str, Any] = {
        "image": spec.image,
        # The least that is valid; each run says what it gets.
        "resourceRequirements": requirements(
            Size(256 if config.fargate else 1024, _LEAST_MEMORY_MIB)
        ),
        "logConfiguration": log_configuration(config, region),
    }
    if config.fargate:
        container["networkConfiguration"] = {
            "assignPublicIp": "ENABLED" if config.assign_public_ip else "DISABLED"
        }
        container["runtimePlatform"] = runtime_platform(spec, config)
    if config.execution_role:
        container["executionRoleArn"] = config.execution_role
    if config.task_role:
        container["jobRoleArn"] = config.task_role
    if spec.user:
        container["user"] = spec.user
    if spec.secrets:
        container["secrets"] = secrets_of(spec, config)
    return container


def _refuse(spec: JobSpec, config: Config) -> None:
    if not 0 < len(spec.image) <= _MAX_IMAGE:
        raise InvalidField(
            f"image has {len(spec.image)} characters; Batch takes 1 to {_MAX_IMAGE}",
            field="image",
            advice="Give --image.",
        )
    refuse_unfit(spec, config, "Batch")
