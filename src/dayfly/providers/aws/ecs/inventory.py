"""What dayfly has on ECS, found by what its tasks and definitions are called."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import DayflyError, FailedPrecondition, NotFound, Unavailable
from dayfly.contract.identity import name_for
from dayfly.contract.jobs import JobHandle
from dayfly.contract.provider import Leftover, ListedJob
from dayfly.providers.aws import tags
from dayfly.providers.aws.ecs import attached
from dayfly.providers.aws.ecs.handles import created, is_task, not_found, task_id
from dayfly.providers.aws.ecs.launch import tag_table
from dayfly.providers.aws.ecs.output import log_place_of
from dayfly.providers.aws.ecs.request import is_own, started_by
from dayfly.providers.aws.states import status_from_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.ecs.definitions import Definitions
    from dayfly.providers.aws.ecs.tasks import Tasks
    from dayfly.providers.aws.logs.reader import LogPlace

PREFIX: Final = "dayfly-"
_OWN_FAMILY: Final = re.compile(r"dayfly-(run-)?[0-9a-f]{20}")
#: A task may be MISSING for some seconds after RunTask [?]; the two clocks may differ by the five
#: minutes that AWS signs within, and one that has stopped is known for an hour.
_VISIBLE: Final = timedelta(minutes=6)


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
        return await self._handle(task, key)

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Own tasks of the cluster."""
        listed = []
        for task in await self._tasks.listed(self._config.cluster):
            if not is_own(task):
                continue
            about = tag_table(task)
            handle = await self._handle(task, about.get(tags.FULL_KEY, ""))
            container = handle.metadata.get("container", "")
            listed.append(
                ListedJob(
                    status=status_from_task(handle, task, container),
                    key=about.get(tags.FULL_KEY, ""),
                    labels=tags.labels_in(about),
                )
            )
        return listed

    async def delete(self, handle: JobHandle) -> None:
        """Remove what was made for this task alone; ECS forgets the task by itself.

        Raises:
            FailedPrecondition: It has not stopped.
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
        definition = handle.metadata.get("definition", "")
        family = definition.rsplit("/", maxsplit=1)[-1].partition(":")[0]
        if _OWN_FAMILY.fullmatch(family):  # A handle comes from anywhere.
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
            if arn in used or not _OWN_FAMILY.fullmatch(family):
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
        if _is_new(handle):
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

    async def unseen(self, handle: JobHandle) -> DayflyError:
        """Why a task cannot be acted on: it is too new to be visible, or there is none."""
        if _is_new(handle):
            return Unavailable(f"the task {task_id(handle)} is not visible at ECS yet")
        return not_found(handle)

    async def _handle(self, task: dict[str, Any], key: str) -> JobHandle:
        about = tag_table(task)
        arn = str(task["taskDefinitionArn"])
        family = arn.rsplit("/", maxsplit=1)[-1].partition(":")[0]
        container = _container(task, self._config.container)
        try:
            definition = await self._definitions.read(arn)
            logs = attached.log_place(definition, container)
        except (NotFound, StopIteration):
            logs = {}
        alone = {"definition": arn} if family.startswith("dayfly-run-") else {}
        name = about.get(tags.NAME, "")
        return JobHandle(
            id=str(task["taskArn"]),
            name=name_for(key, name) if key else name or task_id(JobHandle(id=task["taskArn"])),
            provider="aws",
            metadata={
                "runner": "ecs",
                "created": created(task),
                "region": str(task["taskArn"]).split(":")[3],
                "cluster": self._config.cluster,
                "container": container,
                **logs,
                **alone,
            },
        )


def _container(task: dict[str, Any], configured: str) -> str:
    """The job's container: ECS names all of the definition's, and ours has what it was given."""
    named = (task.get("overrides") or {}).get("containerOverrides") or []
    given = [one for one in named if any(v for k, v in one.items() if k != "name")]
    names = [str(one.get("name", "")) for one in given or named]
    if configured in names:
        return configured
    return names[0] if len(names) == 1 else ""


def _is_new(handle: JobHandle) -> bool:
    made = handle.metadata.get("created", "")
    if not made.isdecimal():
        return False
    return datetime.now(UTC) - datetime.fromtimestamp(int(made) / 1000, UTC) < _VISIBLE
