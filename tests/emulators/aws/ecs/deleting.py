"""Definitions go in two steps: out of use, then away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators.aws.ecs.definitions import Revision, find, in_use
from tests.emulators.aws.errors import ApiError, break_rule

if TYPE_CHECKING:
    from tests.emulators.aws.regions import Region

MOST = 10


def deregister_task_definition(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DeregisterTaskDefinition."""
    reference = request["taskDefinition"]
    _needs_revision(reference)
    revision = find(region, reference)
    if revision is None:
        raise ApiError("ClientException", "The specified task definition does not exist.")
    if revision.status == "ACTIVE":
        revision.document["status"] = "INACTIVE"
        revision.document["deregisteredAt"] = region.now()
    return {"taskDefinition": revision.document}


def delete_task_definitions(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DeleteTaskDefinitions: at most ten, each INACTIVE."""
    references = request["taskDefinitions"]
    if not 1 <= len(references) <= MOST:
        count = len(references)
        break_rule("InvalidParameterException", f"taskDefinitions: {count} are not 1 to {MOST}")
    deleted, failures = [], []
    for reference in references:
        _needs_revision(reference)
        revision = find(region, reference)
        reason = _why_not(revision)
        if revision is None or reason:
            failures.append({"arn": reference, "reason": reason})
            continue
        revision.document["status"] = "DELETE_IN_PROGRESS"
        revision.document["deleteRequestedAt"] = region.now()
        deleted.append(dict(revision.document))
        if not in_use(region, revision):
            region.families[revision.document["family"]].revisions.pop(
                revision.document["revision"], None
            )
    return {"taskDefinitions": deleted, "failures": failures}


def _why_not(revision: Revision | None) -> str:
    if revision is None:
        return (
            "The specified task definition does not exist. Specify a valid account, family, "
            "revision and try again."
        )
    if revision.status == "ACTIVE":
        return (
            "The specified task definition is still in ACTIVE status. Please deregister the "
            "target and try again."
        )
    return ""


def _needs_revision(reference: str) -> None:
    if ":" not in reference.rsplit("task-definition/", 1)[-1]:
        break_rule("ClientException", f"{reference}: the revision is missing")
