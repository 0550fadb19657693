"""A task that was met again, as a handle: its own definition says where its output is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import NotFound
from dayfly.contract.identity import name_for
from dayfly.contract.jobs import JobHandle
from dayfly.providers.aws import tags
from dayfly.providers.aws.content import RUN_DEFINITION
from dayfly.providers.aws.ecs import attached
from dayfly.providers.aws.ecs.handles import cluster_in, created

if TYPE_CHECKING:
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.ecs.definitions import Definitions


async def handle_of_found(
    task: dict[str, Any], key: str, config: Config, definitions: Definitions
) -> JobHandle:
    """The handle of a task, whatever settings it was launched with.

    Args:
        task: As DescribeTasks gives it, with its tags.
        key: Its key; empty where that is not known.
        config: Which container is the job, and the cluster that was asked.
        definitions: Reads the task's own.
    """
    arn, definition = str(task["taskArn"]), str(task["taskDefinitionArn"])
    container = _container(task, config.container)
    try:
        logs = attached.log_place(await definitions.read(definition), container)
    except (NotFound, StopIteration):
        logs = {}
    alone = f"/{RUN_DEFINITION}-" in definition
    name = tag_table(task).get(tags.NAME, "")
    return JobHandle(
        id=arn,
        name=name_for(key, name) if key else name or arn.rsplit("/", maxsplit=1)[-1],
        provider="aws",
        metadata={
            "runner": "ecs",
            "created": created(task),
            "region": arn.split(":")[3],
            "cluster": cluster_in(arn, config.cluster),
            "container": container,
            **logs,
            **({"definition": definition} if alone else {}),
        },
    )


def tag_table(task: dict[str, Any]) -> dict[str, str]:
    """A task's tags by name."""
    return {str(tag["key"]): str(tag.get("value", "")) for tag in task.get("tags") or ()}


def _container(task: dict[str, Any], configured: str) -> str:
    """The job's container: ECS names all of the definition's, and ours has what it was given."""
    named = (task.get("overrides") or {}).get("containerOverrides") or []
    given = [one for one in named if any(v for k, v in one.items() if k != "name")]
    names = [str(one.get("name", "")) for one in given or named]
    if configured in names:
        return configured
    return names[0] if len(names) == 1 else ""
