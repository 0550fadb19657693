"""Families of task definitions, and how to find a revision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.emulators.aws.errors import ApiError, break_rule
from tests.emulators.aws.paging import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulators.aws.regions import Region

PAGE = 100


@dataclass(slots=True)
class Revision:
    """One task definition.

    Attributes:
        document: As DescribeTaskDefinition gives it.
        tags: Of this revision.
    """

    document: dict[str, Any]
    tags: dict[str, str]

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.document["taskDefinitionArn"])

    @property
    def status(self) -> str:
        """ACTIVE, INACTIVE or DELETE_IN_PROGRESS."""
        return str(self.document["status"])


@dataclass(slots=True)
class Family:
    """Revisions by number. Numbers are never used twice."""

    name: str
    latest: int = 0
    revisions: dict[int, Revision] = field(default_factory=dict)

    def newest_active(self) -> Revision | None:
        """The latest ACTIVE revision."""
        active = (one for one in reversed(self.revisions.values()) if one.status == "ACTIVE")
        return next(active, None)


def find(region: Region, reference: str) -> Revision | None:
    """By family, ``family:revision`` or ARN."""
    name = reference.rsplit("task-definition/", 1)[-1]
    family_name, _, number = name.partition(":")
    family = region.families.get(family_name)
    if family is None:
        return None
    if not number:
        return family.newest_active()
    revision = family.revisions.get(int(number)) if number.isdigit() else None
    if revision and revision.status == "DELETE_IN_PROGRESS" and not in_use(region, revision):
        # It goes with the last task that used it.
        del family.revisions[int(number)]
        return None
    return revision


def in_use(region: Region, revision: Revision) -> bool:
    """Whether a task of it has not stopped yet."""
    now = region.now()
    return any(
        task.revision is revision and now < task.timeline.stopped for task in region.tasks.values()
    )


def describe_task_definition(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeTaskDefinition."""
    revision = find(region, request["taskDefinition"])
    hidden = region.knobs.hide_inactive_definitions
    if revision is None or (
        hidden and revision.status == "INACTIVE" and not in_use(region, revision)
    ):
        raise ApiError("ClientException", "Unable to describe task definition.")
    answer: dict[str, Any] = {"taskDefinition": revision.document}
    if "TAGS" in request.get("include", []):
        answer["tags"] = [{"key": key, "value": value} for key, value in revision.tags.items()]
    return answer


def list_task_definition_families(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """ListTaskDefinitionFamilies: those that have an ACTIVE revision, those that do not, or all."""
    status = request.get("status")
    prefix = request.get("familyPrefix", "")
    names = [
        name
        for name, family in sorted(region.families.items())
        if name.startswith(prefix) and family.revisions and _family_matches(family, status)
    ]
    found, more = page(names, request, page_size(request))
    return {"families": found, **more}


def _family_matches(family: Family, status: str | None) -> bool:
    if status in {None, "ALL"}:
        return True
    return (family.newest_active() is not None) == (status == "ACTIVE")


def list_task_definitions(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """ListTaskDefinitions. ``familyPrefix`` is a whole name, in spite of its own."""
    status = request.get("status", "ACTIVE")
    arns = [one.arn for one in _listed(region, request.get("familyPrefix")) if one.status == status]
    descending = request.get("sort") == "DESC"
    if descending:
        arns.reverse()
    found, more = page(arns, request, page_size(request), descending=descending)
    return {"taskDefinitionArns": found, **more}


def _listed(region: Region, family_name: str | None) -> Iterator[Revision]:
    for name, family in sorted(region.families.items()):
        if family_name in {None, name}:
            yield from family.revisions.values()


def page_size(request: dict[str, Any]) -> int:
    """``maxResults`` within its documented bounds.

    Raises:
        ApiError: It is outside.
    """
    size = request.get("maxResults", PAGE)
    if not 1 <= size <= PAGE:
        break_rule("InvalidParameterException", f"maxResults: {size} is not between 1 and {PAGE}")
    return int(size)
