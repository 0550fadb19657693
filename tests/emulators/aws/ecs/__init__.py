"""ECS, as far as one-off tasks need it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.ecs import (
    clusters,
    definitions,
    deleting,
    reading,
    register,
    run,
    stop,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.aws.regions import Region

OPERATIONS: Final[dict[str, Callable[[Region, dict[str, Any]], dict[str, Any]]]] = {
    "DescribeClusters": clusters.describe_clusters,
    "ListClusters": clusters.list_clusters,
    "RegisterTaskDefinition": register.register_task_definition,
    "DescribeTaskDefinition": definitions.describe_task_definition,
    "ListTaskDefinitionFamilies": definitions.list_task_definition_families,
    "ListTaskDefinitions": definitions.list_task_definitions,
    "DeregisterTaskDefinition": deleting.deregister_task_definition,
    "DeleteTaskDefinitions": deleting.delete_task_definitions,
    "RunTask": run.run_task,
    "DescribeTasks": reading.describe_tasks,
    "ListTasks": reading.list_tasks,
    "StopTask": stop.stop_task,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
}
