"""The log group that owned jobs write to: there before the first of them starts.

A task whose group is missing does not start, unless its role may make groups; and a group
that a task makes keeps its lines for ever.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import AlreadyExists, PermissionDenied
from dayfly.providers.aws.pages import all_pages

if TYPE_CHECKING:
    from dayfly.providers.aws.client import Aws

    Key = tuple[str, str]

#: Somebody may delete a group; it is looked for again after so long.
_KNOWN_SECONDS: Final = 60.0


class LogGroups:
    """What this process knows of an identity's groups."""

    def __init__(self, aws: Aws, *, known_seconds: float = _KNOWN_SECONDS) -> None:
        self._aws = aws
        self._known_seconds = known_seconds
        self._ensuring: dict[Key, asyncio.Task[bool]] = {}
        #: Made by us, without a retention yet.
        self._unlimited: set[Key] = set()

    async def ensure(self, region: str, group: str, retention_days: int) -> bool:
        """Make a log group where it is missing; one that is there is left as it is.

        AWS is asked once a minute for each group; who asks meanwhile waits for the same answer.

        Args:
            region: Of the group; empty for the configured one.
            group: Its name.
            retention_days: How long one that is made keeps its lines.

        Returns:
            Whether this call made it.

        Raises:
            DayflyError: It is not there and cannot be made, or cannot be told to forget.
        """
        key = (region, group)
        task = self._ensuring.get(key)
        first = task is None
        if task is None:
            ensuring = self._ensure(key, retention_days)
            task = asyncio.get_running_loop().create_task(ensuring, name="dayfly log group")
            task.add_done_callback(lambda done: self._forget(key, done))
            self._ensuring[key] = task
        # One that is cancelled must not take the others along.
        return await asyncio.shield(task) and first

    def _forget(self, key: Key, task: asyncio.Task[bool]) -> None:
        """A failure at once, what is known in a while."""
        if task.cancelled() or task.exception() is not None:
            self._ensuring.pop(key, None)
        else:
            later = asyncio.get_running_loop().call_later
            later(self._known_seconds, self._ensuring.pop, key, None)

    async def _ensure(self, key: Key, retention_days: int) -> bool:
        region, group = key
        if key not in self._unlimited:
            if await _is_there(self._aws, region, group):
                return False
            try:
                await self._aws.call(
                    "logs",
                    "CreateLogGroup",
                    region=region,
                    tried=f"making the log group {group}",
                    logGroupName=group,
                )
            except AlreadyExists:
                return False
            self._unlimited.add(key)
        await self._aws.call(
            "logs",
            "PutRetentionPolicy",
            region=region,
            tried=f"having the log group {group}, just made, keep lines for {retention_days} days",
            logGroupName=group,
            retentionInDays=retention_days,
        )
        self._unlimited.discard(key)
        return True


async def _is_there(aws: Aws, region: str, group: str) -> bool:
    try:
        found = await all_pages(
            aws,
            "logs",
            "DescribeLogGroups",
            "logGroups",
            region=region,
            tried=f"looking for the log group {group}",
            logGroupNamePrefix=group,
        )
    except PermissionDenied:
        # To make it shows as well whether it is there.
        return False
    return any(one.get("logGroupName") == group for one in found)
