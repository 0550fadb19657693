"""Whether the cluster takes tasks, as ``doctor`` sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.providers.aws.doctor.looking import failed, passed, warning

if TYPE_CHECKING:
    from dayfly.contract.provider import Check
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config

_NAME = "cluster"


async def cluster_check(aws: Aws, config: Config) -> Check:
    """The cluster is active, and has what the launch type runs on.

    Raises:
        DayflyError: ECS does not answer.
    """
    answer = await aws.call(
        "ecs", "DescribeClusters", tried="looking at the cluster", clusters=[config.cluster]
    )
    found = answer.get("clusters") or []
    state = found[0].get("status") if found else "not there"
    if state != "ACTIVE":
        return failed(
            _NAME,
            f"{config.cluster} is {state} in {await aws.region()}",
            "Make it (`aws ecs create-cluster`), or correct cluster and region.",
        )
    return _without(config, found[0]) or passed(
        _NAME, str(found[0].get("clusterArn", config.cluster))
    )


def _without(config: Config, cluster: dict[str, Any]) -> Check | None:
    """What the launch type needs and the cluster does not have."""
    # Only spot is a capacity provider; launch type FARGATE needs none.
    providers = cluster.get("capacityProviders") or []
    if config.launch_type == "FARGATE_SPOT" and "FARGATE_SPOT" not in providers:
        return failed(
            _NAME,
            f"{config.cluster} has no capacity provider FARGATE_SPOT; it has "
            f"{', '.join(providers) or 'none'}",
            "Add it (`aws ecs put-cluster-capacity-providers`), or use launch_type FARGATE.",
        )
    if not config.fargate and not cluster.get("registeredContainerInstancesCount"):
        return warning(
            _NAME,
            f"{config.cluster} has no container instance",
            "Add one, or use launch_type FARGATE.",
        )
    return None
