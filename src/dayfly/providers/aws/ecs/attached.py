"""A task definition that exists, and the little of it that a run may override."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import TargetMode
from dayfly.providers.aws.ecs.request import overrides_of, size_of, too_long

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobSpec
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.sizes import Size

#: What RunTask cannot override, in the job's words.
#: Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerOverride.html
_FIXED = (
    "image", "entrypoint", "secrets", "grace_period_seconds", "working_dir", "user", "platform",
)  # fmt: skip


def refuse(spec: JobSpec, definition: Mapping[str, Any], container: str) -> None:
    """Refuse what the definition settles for the container that is the job.

    Raises:
        InvalidField: Naming the field.
    """
    name = f"{definition['family']}:{definition['revision']}"
    if spec.target.mode is not TargetMode.ATTACHED_RUN:
        raise InvalidField(
            "ECS runs a task definition as it is (ATTACHED_RUN); it clones none",
            field="target.mode",
            advice="Use --target-mode run.",
        )
    for field in _FIXED:
        value = getattr(spec, field)
        if value or (field == "grace_period_seconds" and value is not None):
            raise InvalidField(
                f"{field} cannot be overridden when the task definition {name} is run",
                field=field,
                advice="Leave it out, or register a revision that has it.",
            )
    own = next(c for c in definition["containerDefinitions"] if c["name"] == container)
    for secret in own.get("secrets") or ():
        if secret["name"] in spec.env:
            raise InvalidField(
                f"env.{secret['name']} is a secret in the task definition {name}, which ECS does "
                "not let a plain variable override",
                field=f"env.{secret['name']}",
                advice="Leave it out, or register a revision without the secret.",
            )


def container_of(definition: Mapping[str, Any], configured: str) -> str:
    """Name of the container that is the job.

    Raises:
        InvalidField: It cannot be told which one.
    """
    containers = definition.get("containerDefinitions", ())
    names = [str(container["name"]) for container in containers]
    if configured:
        if configured not in names:
            raise InvalidField(
                f"container is {configured!r}; {definition['family']} has: {', '.join(names)}",
                field="container",
            )
        return configured
    if len(names) == 1:
        return names[0]
    raise InvalidField(
        f"the task definition {definition['family']} has {len(names)} containers "
        f"({', '.join(names)}), and it is not configured which is the job",
        field="container",
        advice="Set container in [providers.NAME].",
    )


def size(spec: JobSpec, definition: Mapping[str, Any], config: Config) -> Size | None:
    """What a Fargate task is given: what is asked for, and of the rest at least the definition's.

    Raises:
        InvalidField: Fargate has no such size.
    """
    asked = spec.resources
    if not config.fargate or (asked.cpus is None and asked.memory_mib is None):
        return None
    cpus, memory = asked.cpus, asked.memory_mib
    if cpus is None and str(definition.get("cpu", "")).isdecimal():
        cpus = int(definition["cpu"]) / 1024
    if memory is None and str(definition.get("memory", "")).isdecimal():
        memory = int(definition["memory"])
    return size_of(replace(spec, resources=replace(asked, cpus=cpus, memory_mib=memory)), config)


def overrides(spec: JobSpec, container: str, config: Config, size: Size | None) -> dict[str, Any]:
    """The overrides of a run.

    Raises:
        InvalidField: They are too long, and there is no definition of ours to put them in.
    """
    asked = spec.resources.cpus is not None or spec.resources.memory_mib is not None
    made = overrides_of(spec, container, size)
    if asked and not config.fargate:
        [own] = made["containerOverrides"]
        if spec.resources.cpus is not None:
            own["cpu"] = size_of(spec, config).cpu
        if spec.resources.memory_mib is not None:
            own["memory"] = spec.resources.memory_mib
    if too_long(made):
        raise InvalidField(
            "command and env are over 8,192 characters of JSON, which is all that ECS takes for "
            "a task definition that exists",
            field="command" if len(str(spec.argv)) > len(str(spec.env)) else "env",
            advice="Pass large input by reference: an object in S3, a file in the image.",
        )
    return made


def log_place(definition: Mapping[str, Any], container: str) -> dict[str, str]:
    """Where a container's output goes; nothing where it is not CloudWatch Logs."""
    own = next(c for c in definition["containerDefinitions"] if c["name"] == container)
    logs = own.get("logConfiguration") or {}
    options = logs.get("options") or {}
    if logs.get("logDriver") != "awslogs" or not options.get("awslogs-stream-prefix"):
        return {}
    place = {
        "log_group": str(options.get("awslogs-group", "")),
        "log_prefix": str(options["awslogs-stream-prefix"]),
    }
    region = str(options.get("awslogs-region", ""))
    elsewhere = region and region != str(definition["taskDefinitionArn"]).split(":")[3]
    return place | ({"log_region": region} if elsewhere else {})
