"""DescribeLogGroups and DescribeLogStreams."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.emulators.aws.errors import break_rule
from tests.emulators.aws.logs.groups import Group, exists, group_of
from tests.emulators.aws.paging import page

if TYPE_CHECKING:
    from tests.emulators.aws.logs.streams import Stream
    from tests.emulators.aws.regions import Region

MOST = 50


def describe_log_groups(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeLogGroups."""
    prefix, pattern = request.get("logGroupNamePrefix"), request.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        message = "logGroupNamePrefix and logGroupNamePattern are mutually exclusive"
        break_rule("InvalidParameterException", message)
    groups = [
        group
        for name, group in sorted(region.groups.items())
        if name.startswith(prefix or "") and (pattern or "") in name and exists(region, group)
    ]
    found, more = page(groups, request, request.get("limit", MOST), lambda group: group.name)
    return {"logGroups": [_group(region, group) for group in found], **more}


def _group(region: Region, group: Group) -> dict[str, Any]:
    arn = region.arn("logs", f"log-group:{group.name}")
    read = {
        "logGroupName": group.name,
        "creationTime": int((group.created or 0) * 1000),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
    }
    if group.retention is not None:
        read["retentionInDays"] = group.retention
    return read


def describe_log_streams(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeLogStreams, by name or by the last event."""
    group, now = group_of(region, request), region.now()
    prefix = request.get("logStreamNamePrefix", "")
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        message = "Cannot order by LastEventTime with a logStreamNamePrefix."
        break_rule("InvalidParameterException", message)
    streams = [
        stream
        for name, stream in group.streams.items()
        if name.startswith(prefix) and stream.exists(now)
    ]

    def place(stream: Stream) -> str:
        return f"{_last_event(stream, now):015d}/{stream.name}" if by_time else stream.name

    descending = bool(request.get("descending", False))
    streams.sort(key=place, reverse=descending)
    size = request.get("limit", MOST)
    found, more = page(streams, request, size, place, descending=descending)
    return {"logStreams": [_stream(region, group, one, now) for one in found], **more}


def _stream(region: Region, group: Group, stream: Stream, now: float) -> dict[str, Any]:
    arn = region.arn("logs", f"log-group:{group.name}:log-stream:{stream.name}")
    started = stream.task.timeline.started
    read = {
        "logStreamName": stream.name,
        "creationTime": int(started * 1000) if math.isfinite(started) else 0,
        "arn": arn,
        "storedBytes": 0,
    }
    if last := stream.last_readable(now):
        read["firstEventTimestamp"] = stream.timestamp(0)
        read["lastEventTimestamp"] = stream.timestamp(last - 1)
        read["lastIngestionTime"] = stream.readable_at(last - 1)
    return read


def _last_event(stream: Stream, now: float) -> int:
    last = stream.last_readable(now)
    return stream.timestamp(last - 1) if last else 0
