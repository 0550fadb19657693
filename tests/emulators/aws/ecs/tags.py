"""Tags of tasks, task definitions and clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators.aws.ecs.clusters import cluster_name
from tests.emulators.aws.ecs.definitions import find
from tests.emulators.aws.errors import ApiError, break_rule

if TYPE_CHECKING:
    from tests.emulators.aws.regions import Region

MOST = 50


def read_tags(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags of a request, by key.

    Raises:
        ApiError: A key is there twice, or reserved.
    """
    found: dict[str, str] = {}
    for tag in tags:
        key = tag.get("key", "")
        if not key or key.lower().startswith("aws:"):
            break_rule("InvalidParameterException", f"tags: the key {key!r} is reserved or empty")
        if key in found:
            break_rule("InvalidParameterException", f"tags: the key {key!r} is there twice")
        found[key] = tag.get("value", "")
    return found


def tag_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """TagResource."""
    tags = _tags_of(region, request["resourceArn"])
    added = read_tags(request["tags"])
    if len({*tags, *added}) > MOST:
        raise ApiError("LimitExceededException", f"More than {MOST} tags")
    tags.update(added)
    return {}


def untag_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """UntagResource."""
    tags = _tags_of(region, request["resourceArn"])
    for key in request["tagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags_for_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """ListTagsForResource."""
    tags = _tags_of(region, request["resourceArn"])
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _tags_of(region: Region, arn: str) -> dict[str, str]:
    kind, _, rest = arn.rsplit(":", 1)[-1].partition("/")
    if ":task-definition/" in arn:
        revision = find(region, arn)
        if revision is not None:
            return revision.tags
    elif kind == "cluster" and cluster_name(arn) in region.knobs.clusters:
        return region.cluster_tags.setdefault(cluster_name(arn), {})
    elif kind == "task":
        cluster, _, task_id = rest.partition("/")
        task = region.tasks.get((cluster, task_id))
        if task is not None:
            return task.tags
    raise ApiError("InvalidParameterException", "The specified resource is not found.")
