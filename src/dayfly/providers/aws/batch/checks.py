"""What ``dayfly doctor`` looks at on Batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.providers.aws.doctor.looking import failed, look, passed, warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.provider import Check
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config

#: Compute environments of a launch type. Spot on Fargate is a kind of its own here.
_TYPES: Final = {
    "FARGATE": {"FARGATE"},
    "FARGATE_SPOT": {"FARGATE_SPOT"},
    "EC2": {"EC2", "SPOT"},
}
_PLACED: Final = ("subnets", "security_groups")
_QUEUE: Final = "job queue"
_ENVIRONMENT: Final = "compute environment"

Json = dict[str, Any]


async def run_checks(aws: Aws, config: Config) -> Sequence[Check]:
    """The queue, what runs its jobs, and settings that Batch has no use for.

    Raises:
        DayflyError: Batch does not answer.
    """
    checks = [_settings(config)]
    if not config.queue:
        advice = "Set queue in [providers.NAME] to a job queue's name or ARN."
        return [*checks, failed(_QUEUE, "queue is not configured", advice)]
    found = await aws.call(
        "batch", "DescribeJobQueues", tried="looking at the queue", jobQueues=[config.queue]
    )
    queues = found.get("jobQueues", [])
    if not queues:
        advice = "Make it, or name another in [providers.NAME]."
        return [*checks, failed(_QUEUE, f"there is no queue {config.queue!r}", advice)]
    checks.append(_state(_QUEUE, config.queue, queues[0]))
    return [*checks, *await look(_ENVIRONMENT, _environments(aws, config, queues[0]))]


def _settings(config: Config) -> Check:
    name = "batch settings"
    if config.fargate and not config.execution_role:
        advice = "Set execution_role in [providers.NAME] to a role's ARN."
        return failed(name, "execution_role is not configured; Fargate needs it", advice)
    if unused := [name for name in _PLACED if getattr(config, name)]:
        said = f"{' and '.join(unused)}: Batch takes them from the compute environment"
        return warning(name, said, 'Leave them out, or use runner = "ecs".')
    return passed(name, f"launch_type {config.launch_type}")


async def _environments(aws: Aws, config: Config, queue: Json) -> Sequence[Check]:
    arns = [place["computeEnvironment"] for place in queue.get("computeEnvironmentOrder", [])]
    if not arns:
        return [failed(_ENVIRONMENT, "the queue has none", "Give the queue one.")]
    found = await aws.call(
        "batch",
        "DescribeComputeEnvironments",
        tried="looking at the queue's compute environments",
        computeEnvironments=arns,
    )
    return [_environment(config, one) for one in found.get("computeEnvironments", [])]


def _environment(config: Config, environment: Json) -> Check:
    name = f"{_ENVIRONMENT} {environment.get('computeEnvironmentName')}"
    if environment.get("containerOrchestrationType") == "EKS":
        return failed(
            name,
            "it is on EKS, and dayfly's jobs are containers of ECS",
            "Use a queue with a compute environment on Fargate or EC2.",
        )
    kind = (environment.get("computeResources") or {}).get("type")
    if kind and kind not in _TYPES[config.launch_type]:
        said = f"it is of type {kind}, and launch_type is {config.launch_type}"
        return failed(name, said, "Make launch_type what the queue has.")
    return _state(name, str(kind or "unmanaged"), environment)


def _state(name: str, what: str, thing: Json) -> Check:
    state, status = thing.get("state"), thing.get("status")
    detail = f"{what}: {state}, {status}"
    if state == "ENABLED" and status == "VALID":
        return passed(name, detail)
    said = str(thing.get("statusReason") or "")
    return failed(name, f"{detail} {said}".rstrip(), "Enable it, and mend what AWS says of it.")
