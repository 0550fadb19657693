"""What ECS and Batch say of a container in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.providers.aws.secrets import value_from

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec
    from dayfly.providers.aws.config import Config

STREAM_PREFIX: Final = "dayfly"
ARCHITECTURES: Final = {"linux/amd64": "X86_64", "linux/arm64": "ARM64"}


def runtime_platform(spec: JobSpec, config: Config) -> dict[str, str]:
    """Processor and operating system: the job's, or what is configured."""
    return {
        "cpuArchitecture": ARCHITECTURES.get(spec.platform, config.architecture),
        "operatingSystemFamily": "LINUX",
    }


def log_configuration(config: Config, region: str) -> dict[str, Any]:
    """Output goes to the configured group, and none of it is dropped.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
    """
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": config.log_group,
            "awslogs-region": region,
            "awslogs-stream-prefix": STREAM_PREFIX,
            # ECS's own default drops lines when the buffer is full.
            "mode": "blocking",
        },
    }


def secrets_of(spec: JobSpec, config: Config) -> list[dict[str, str]]:
    """Variables that the cloud fills in, by reference.

    Raises:
        InvalidField: A reference is of no known form.
        NotFound: A portable name is not configured.
    """
    references = value_from(spec.secrets, config.secrets)
    return [{"name": name, "valueFrom": reference} for name, reference in references.items()]


def environment_of(spec: JobSpec) -> list[dict[str, str]]:
    """Plain variables, as AWS lists them."""
    return [{"name": name, "value": value} for name, value in spec.env.items()]


def refuse_unfit(spec: JobSpec, config: Config, service: str) -> None:
    """Refuse a platform that there is not, and a job for which a role is missing.

    Args:
        spec: The job.
        config: The roles.
        service: Who needs the role.

    Raises:
        InvalidField: ``platform`` is another.
        FailedPrecondition: ``execution_role`` is not configured, and is needed.
    """
    if spec.platform and spec.platform not in ARCHITECTURES:
        raise InvalidField(
            f"platform is {spec.platform!r}; allowed: {', '.join(ARCHITECTURES)}",
            field="platform",
        )
    if not config.execution_role and (config.fargate or spec.secrets):
        why = "read its secrets" if spec.secrets else "pull images and write logs"
        raise FailedPrecondition(
            f"execution_role is not configured, and {service} needs one to {why}",
            field="execution_role",
            advice="Set execution_role in [providers.NAME] to the ARN of a role that "
            "ecs-tasks.amazonaws.com may assume; `dayfly doctor` prints its policy.",
        )
