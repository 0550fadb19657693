"""CloudWatch Logs, as far as reading what awslogs wrote needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.logs import groups, listing, merged_pages, stream_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.aws.regions import Region

OPERATIONS: Final[dict[str, Callable[[Region, dict[str, Any]], dict[str, Any]]]] = {
    "CreateLogGroup": groups.create_log_group,
    "DeleteLogGroup": groups.delete_log_group,
    "DeleteLogStream": groups.delete_log_stream,
    "PutRetentionPolicy": groups.put_retention_policy,
    "DescribeLogGroups": listing.describe_log_groups,
    "DescribeLogStreams": listing.describe_log_streams,
    "GetLogEvents": stream_pages.get_log_events,
    "FilterLogEvents": merged_pages.filter_log_events,
}
