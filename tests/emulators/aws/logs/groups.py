"""Log groups: made, kept for so long, removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import ApiError, break_rule

if TYPE_CHECKING:
    from tests.emulators.aws.logs.streams import Stream
    from tests.emulators.aws.regions import Region

# fmt: off
RETENTIONS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)
# fmt: on


@dataclass(slots=True)
class Group:
    """One log group. Without a time of creation it is there as soon as a stream of it is."""

    name: str
    created: float | None = None
    retention: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)


def exists(region: Region, group: Group) -> bool:
    """Whether it has been made, by a call or by its first stream."""
    now = region.now()
    if group.created is None and any(one.exists(now) for one in group.streams.values()):
        group.created = now
    return group.created is not None


def group_of(region: Region, request: dict[str, Any]) -> Group:
    """The group that a request is about.

    Raises:
        ApiError: There is none, or it is named twice or not at all.
    """
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        message = "Exactly one of logGroupName and logGroupIdentifier is required"
        break_rule("InvalidParameterException", message)
    if name is None:
        name = str(identifier).rsplit(":log-group:", maxsplit=1)[-1].removesuffix(":*")
    group = region.groups.get(name)
    if group is None or not exists(region, group):
        message = "The specified log group does not exist."
        raise ApiError("ResourceNotFoundException", message)
    return group


def stream_of(region: Region, group: Group, name: str) -> Stream:
    """A stream that is there.

    Raises:
        ApiError: It is not, or not yet.
    """
    stream = group.streams.get(name)
    if stream is None or not stream.exists(region.now()):
        message = "The specified log stream does not exist."
        raise ApiError("ResourceNotFoundException", message)
    return stream


def create_log_group(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """CreateLogGroup."""
    name = request["logGroupName"]
    if name.startswith("aws/"):
        break_rule("InvalidParameterException", "Log groups starting with aws/ are reserved")
    group = region.groups.setdefault(name, Group(name))
    if exists(region, group):
        message = "The specified log group already exists"
        raise ApiError("ResourceAlreadyExistsException", message)
    group.created = region.now()
    group.tags.update(request.get("tags", {}))
    return {}


def delete_log_group(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DeleteLogGroup: what running tasks write afterwards is lost [?]."""
    del region.groups[group_of(region, request).name]
    return {}


def delete_log_stream(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DeleteLogStream: what its task writes afterwards is lost [?]."""
    group = group_of(region, request)
    del group.streams[stream_of(region, group, request["logStreamName"]).name]
    return {}


def put_retention_policy(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """PutRetentionPolicy: only certain numbers of days."""
    days = request["retentionInDays"]
    if days not in RETENTIONS:
        allowed = ", ".join(map(str, RETENTIONS))
        break_rule("InvalidParameterException", f"retentionInDays: {days} is not one of {allowed}")
    group_of(region, request).retention = days
    return {}
