"""Clusters: which one a request means, and whether it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators.aws.errors import ApiError

if TYPE_CHECKING:
    from tests.emulators.aws.regions import Region


def cluster_of(region: Region, request: dict[str, Any], *, active: bool = False) -> str:
    """The name of the cluster that a request is for.

    Args:
        region: Where it would be.
        request: Names it, by name or ARN, or means ``default``.
        active: The operation needs it to be in use.

    Raises:
        ApiError: There is none.
    """
    name = cluster_name(request.get("cluster") or "default")
    if name in region.knobs.clusters:
        return name
    if name in region.knobs.inactive_clusters:
        if not active:
            return name
        # [?] The code is believed; the message is seen with InvalidParameterException as well.
        raise ApiError("ClusterNotFoundException", "The referenced cluster was inactive.")
    raise ApiError("ClusterNotFoundException", "Cluster not found.")


def cluster_name(reference: str) -> str:
    """The name in a name or an ARN."""
    return reference.rsplit("/", 1)[-1]


def describe_clusters(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeClusters."""
    found, failures = [], []
    include = request.get("include", [])
    for reference in request.get("clusters") or ["default"]:
        name = cluster_name(reference)
        if name in region.knobs.clusters:
            found.append(_cluster(region, name, "ACTIVE", include))
        elif name in region.knobs.inactive_clusters:
            found.append(_cluster(region, name, "INACTIVE", include))
        else:
            failures.append({"arn": region.arn("ecs", f"cluster/{name}"), "reason": "MISSING"})
    return {"clusters": found, "failures": failures}


def list_clusters(region: Region, _request: dict[str, Any]) -> dict[str, Any]:
    """ListClusters."""
    return {"clusterArns": [region.arn("ecs", f"cluster/{n}") for n in region.knobs.clusters]}


def _cluster(region: Region, name: str, status: str, include: list[str]) -> dict[str, Any]:
    now = region.now()
    states = [task.timeline.status(now) for (home, _), task in region.tasks.items() if home == name]
    tags = region.cluster_tags.get(name, {}) if "TAGS" in include else {}
    return {
        "clusterArn": region.arn("ecs", f"cluster/{name}"),
        "clusterName": name,
        "status": status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": states.count("RUNNING"),
        "pendingTasksCount": states.count("PENDING") + states.count("PROVISIONING"),
        "activeServicesCount": 0,
        "statistics": [],
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        "settings": [],
        "capacityProviders": list(region.knobs.capacity_providers),
        "defaultCapacityProviderStrategy": [],
    }
