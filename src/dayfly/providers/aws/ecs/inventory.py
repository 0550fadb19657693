"""What dayfly has on ECS, found by what its tasks and definitions are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.provider import Leftover, ListedJob
from dayfly.providers.aws import tags
from dayfly.providers.aws.content import is_own as is_own_definition
from dayfly.providers.aws.ecs.found import handle_of_found, tag_table
from dayfly.providers.aws.ecs.handles import (
    created,
    is_task,
    not_found,
    task_id,
    unseen,
)
from dayfly.providers.aws.ecs.output import log_place_of
from dayfly.providers.aws.ecs.request import is_own, started_by
from dayfly.providers.aws.states import status_from_task
from dayfly.providers.aws.young import is_new

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.ecs.definitions import Definitions
    from dayfly.providers.aws.ecs.tasks import Tasks
    from dayfly.providers.aws.logs.reader import LogPlace

PREFIX: Final = "dayfly-"


class EcsInventory:
    """Finds, lists and removes what launches left."""

    def __init__(self, aws: Aws, config: Config, definitions: Definitions, tasks: Tasks) -> None:
        self._aws = aws
        self._config = config
        self._definitions = definitions
        self._tasks = tasks

    async def find(self, key: str) -> JobHandle | None:
        """The key's newest task: an earlier one is one that never ran."""
        found = await self._tasks.started_by(self._config.cluster, started_by(key))
        if not found:
            return None
        task = max(found, key=lambda task: created(task).rjust(20, "0"))
        return await handle_of_found(task, key, self._config, self._definitions)

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Own tasks of the cluster."""
        listed = []
        for task in await self._tasks.listed(self._config.cluster):
            if not is_own(task):
                continue
            about = tag_table(task)
            key = about.get(tags.FULL_KEY, "")
            handle = await handle_of_found(task, key, self._config, self._definitions)
            container = handle.metadata.get("container", "")
            listed.append(
                ListedJob(
                    status=status_from_task(handle, task, container),
                    key=key,
                    labels=tags.labels_in(about),
                )
            )
        return listed

    async def delete(self, handle: JobHandle) -> None:
        """Remove what was made for this task alone; ECS forgets the task by itself.

        Raises:
            FailedPrecondition: It has not stopped.
            Unavailable: It is too new to be visible.
        """
        if not is_task(handle):
            return
        task = await self._tasks.look(handle)
        if task is not None and task.get("lastStatus") != "STOPPED":
            raise FailedPrecondition(
                f"the task {task_id(handle)} has not stopped",
                field="handle",
                advice="Cancel the job first.",
            )
        if task is None and is_new(handle):
            raise unseen(handle)
        definition = handle.metadata.get("definition", "")
        family = definition.rsplit("/", maxsplit=1)[-1].partition(":")[0]
        if is_own_definition(family):  # A handle comes from anywhere.
            await self._definitions.remove(definition)
            self._definitions.forget(family)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove own definitions that no task of the cluster uses and that are old enough."""
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        tasks = await self._tasks.listed(self._config.cluster)
        used = {t["taskDefinitionArn"] for t in tasks if t.get("lastStatus") != "STOPPED"}
        left = []
        for arn in await self._definitions.active(PREFIX):
            family = arn.rsplit("/", maxsplit=1)[-1].partition(":")[0]
            if arn in used or not is_own_definition(family):
                continue
            registered = (await self._definitions.read(arn)).get("registeredAt")
            if registered is not None and registered > before:
                continue
            if not dry_run:
                await self._definitions.remove(arn)
                self._definitions.forget(family)
            detail = (
                f"registered {registered.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
                if registered
                else ""
            )
            left.append(Leftover(kind="task definition", name=family, detail=detail))
        return left

    async def place_of_forgotten(self, handle: JobHandle) -> LogPlace | None:
        """Output of a task that ECS no longer knows: it stays for the group's retention.

        Raises:
            NotFound: There is no such output either.
        """
        if is_new(handle):
            return None
        place = log_place_of(handle, ended=True)
        answer = await self._aws.call(
            "logs",
            "DescribeLogStreams",
            region=place.region,
            logGroupName=place.group,
            logStreamNamePrefix=place.stream,
            limit=1,
        )
        if not any(s.get("logStreamName") == place.stream for s in answer.get("logStreams", ())):
            raise not_found(handle)
        return place
