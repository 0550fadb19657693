"""Looking at tasks: many in one call, whatever their clusters."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import DayflyError, InvalidField, NotFound
from dayfly.providers.aws.ecs.handles import cluster_of, region_of
from dayfly.providers.aws.errors import incomplete
from dayfly.providers.aws.pages import all_pages
from dayfly.sdk.gathering import Gatherer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.aws.client import Aws

    Task = dict[str, Any]

#: Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
AT_ONCE: Final = 100


class Tasks:
    """DescribeTasks and ListTasks of one identity."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._looks: Gatherer[JobHandle, Task | None] = Gatherer(self._each, size=AT_ONCE)

    async def look(self, handle: JobHandle) -> Task | None:
        """One task, in a call with whatever others are looked at now; None where ECS has none."""
        return await self._looks.ask(handle)

    async def many(self, handles: Sequence[JobHandle]) -> list[Task | None]:
        """The tasks of handles, in their order.

        Raises:
            DayflyError: A call failed, which says nothing about any of them.
        """
        places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for handle in handles:
            places[_place(handle)].append(handle.id)
        found: dict[str, Task] = {}
        for (region, cluster), arns in places.items():
            for begin in range(0, len(arns), AT_ONCE):
                batch = arns[begin : begin + AT_ONCE]
                found |= await self._describe(region, cluster, batch)
        return [found.get(handle.id) for handle in handles]

    async def listed(self, cluster: str) -> list[Task]:
        """All tasks of the cluster, running and stopped, with their tags."""
        arns = await self._list(cluster, desiredStatus="RUNNING")
        arns += await self._list(cluster, desiredStatus="STOPPED")
        return await self.named(cluster, arns)

    async def started_by(self, cluster: str, who: str) -> list[Task]:
        """Tasks that were started under this name, running and stopped, with their tags.

        ListTasks says that ``startedBy`` must be its only filter; whether that counts
        ``desiredStatus`` is not said [?]. Where it does, all stopped tasks are looked at.
        """
        # RUNNING is what it takes where nothing is said; first, so that none stops in between.
        arns = await self._list(cluster, startedBy=who)
        try:
            arns += await self._list(cluster, desiredStatus="STOPPED", startedBy=who)
        except InvalidField:
            arns += await self._list(cluster, desiredStatus="STOPPED")
        return [task for task in await self.named(cluster, arns) if task.get("startedBy") == who]

    async def named(self, cluster: str, arns: Sequence[str]) -> list[Task]:
        """Tasks by their ARNs, with their tags."""
        tasks: dict[str, Task] = {}
        for begin in range(0, len(arns), AT_ONCE):
            batch = arns[begin : begin + AT_ONCE]
            tasks |= await self._describe("", cluster, batch, include=["TAGS"])
        return list(tasks.values())

    async def close(self) -> None:
        """Look no more."""
        await self._looks.close()

    async def _each(self, handles: Sequence[JobHandle]) -> list[Task | Exception | None]:
        """As ``many``; a cluster that cannot be asked hides the tasks of no other."""
        answers: dict[int, Task | Exception | None] = {}
        for place in {_place(handle): None for handle in handles}:
            numbers = [n for n, handle in enumerate(handles) if _place(handle) == place]
            try:
                found = await self.many([handles[number] for number in numbers])
            except DayflyError as error:
                answers |= dict.fromkeys(numbers, error)
            else:
                answers |= zip(numbers, found, strict=True)
        return [answers[number] for number in range(len(handles))]

    async def _describe(
        self, region: str, cluster: str, arns: Sequence[str], **more: Any
    ) -> dict[str, Task]:
        try:
            answer = await self._aws.call(
                "ecs",
                "DescribeTasks",
                region=region,
                tried=f"looking at {len(arns)} tasks of cluster {cluster!r}",
                cluster=cluster,
                tasks=list(arns),
                **more,
            )
        except NotFound as error:
            raise cluster_is_gone(error, cluster) from error
        tasks = answer.get("tasks") or []
        # What is not said of a task must not be taken for its end.
        if len(tasks) + len(answer.get("failures") or []) < len(set(arns)):
            raise incomplete(f"looking at {len(arns)} tasks of cluster {cluster!r}", answer)
        return {str(task["taskArn"]): task for task in tasks}

    async def _list(self, cluster: str, **wanted: str) -> list[str]:
        return await all_pages(
            self._aws,
            "ecs",
            "ListTasks",
            "taskArns",
            tried=f"listing the tasks of cluster {cluster!r}",
            cluster=cluster,
            **wanted,
        )


def _place(handle: JobHandle) -> tuple[str, str]:
    return region_of(handle), cluster_of(handle)


def cluster_is_gone(error: DayflyError, cluster: str) -> NotFound:
    """There is no such cluster; its tasks are gone with it."""
    return NotFound(
        error.message,
        field="cluster",
        advice=f"See that cluster {cluster!r} exists in the configured region and account; "
        "`dayfly doctor` looks.",
    )
