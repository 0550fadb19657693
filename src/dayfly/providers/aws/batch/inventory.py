"""What dayfly has on Batch, and its removal.

Batch has no call that removes a job: it forgets an ended one by itself, after seven days at
the least. Definitions stay until they are deregistered.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.provider import Leftover, ListedJob
from dayfly.providers.aws.batch.definitions import REGISTERED
from dayfly.providers.aws.batch.states import has_ended, status_of, time_of, was_superseded
from dayfly.providers.aws.content import RUN_DEFINITION, is_own
from dayfly.providers.aws.pages import all_pages
from dayfly.providers.aws.tags import FULL_KEY, KEY, labels_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.aws.batch.definitions import Definitions
    from dayfly.providers.aws.batch.queue import Queue
    from dayfly.providers.aws.client import Aws

Json = dict[str, Any]


class Inventory:
    """Lists and removes what dayfly made."""

    def __init__(self, aws: Aws, queue: Queue, definitions: Definitions) -> None:
        self._aws, self._queue, self._definitions = aws, queue, definitions

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every own job of the queue that Batch still knows."""
        summaries = {str(job["jobId"]): job for job in await self._queue.own()}
        details = await self._queue.details(summaries)
        return [
            await self._listed(job, summaries[id_])
            for id_, job in details.items()
            if KEY in (job.get("tags") or {}) and not was_superseded(job)
        ]

    async def delete(self, handle: JobHandle) -> None:
        """Deregister the definition that was made for this job alone.

        Raises:
            FailedPrecondition: The job has not ended, or dayfly did not make it.
        """
        region = handle.metadata.get("region", "")
        job = (await self._queue.details([handle.id], region)).get(handle.id)
        if job is not None:
            refuse_stranger(job)
            if not has_ended(job):
                raise FailedPrecondition(
                    f"the job {handle.name or handle.id} has not ended",
                    field="handle",
                    advice="Cancel the job first.",
                )
        definition = handle.metadata.get("definition", "")
        if f"/{RUN_DEFINITION}-" in definition:
            await self._definitions.deregister(definition, region)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Deregister own definitions that no job of any queue needs, or say which would go.

        A definition is as old as its registering, or as the last job that used it. Where
        neither is known it goes only when any age will do.
        """
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        own = [
            definition
            for definition in await self._definitions.active()
            if is_own(str(definition.get("jobDefinitionName", "")))
        ]
        users = await self._users() if own else {}
        left = []
        for definition in own:
            arn = str(definition["jobDefinitionArn"])
            jobs = users.get(arn, [])
            since = _last_use(definition, jobs)
            young = since > before if since else older_than_seconds > 0
            if young or not all(map(has_ended, jobs)):
                continue
            if not dry_run:
                await self._definitions.deregister(arn)
            left.append(Leftover(kind="job definition", name=arn, detail=_detail(since, jobs)))
        return left

    async def _listed(self, job: Json, summary: Json) -> ListedJob:
        status = status_of(await self._queue.handle_of(job), job, summary)
        tags = job.get("tags") or {}
        return ListedJob(
            status=status,
            key=str(tags.get(FULL_KEY, "")),
            labels=labels_in(tags),
            warning=status.message if not status.final else "",
        )

    async def _users(self) -> dict[str, list[Json]]:
        """Own jobs of every queue, by the ARN of their definition."""
        users: dict[str, list[Json]] = {}
        queues = await all_pages(
            self._aws, "batch", "DescribeJobQueues", "jobQueues", tried="listing job queues"
        )
        for queue in queues:
            for job in await self._queue.own(str(queue["jobQueueName"])):
                users.setdefault(str(job.get("jobDefinition", "")), []).append(job)
        return users


def refuse_stranger(job: Json) -> None:
    """Leave alone what is not ours, whatever a handle says.

    Raises:
        FailedPrecondition: Dayfly did not make the job.
    """
    if KEY not in (job.get("tags") or {}):
        raise FailedPrecondition(
            f"the job {job.get('jobName')} ({job.get('jobId')}) was not made by dayfly, and is "
            "left alone",
            field="handle.id",
        )


def _last_use(definition: Json, jobs: Iterable[Json]) -> datetime | None:
    times = [
        time for job in jobs for name in ("createdAt", "stoppedAt") if (time := time_of(job, name))
    ]
    registered = str((definition.get("tags") or {}).get(REGISTERED, ""))
    with suppress(ValueError):  # Not ours, or changed by hand.
        times.append(datetime.fromisoformat(registered).astimezone(UTC))
    return max(times, default=None)


def _detail(since: datetime | None, jobs: Sequence[Json]) -> str:
    when = f"last used {since:%Y-%m-%d %H:%M:%S} UTC" if since else "of unknown age"
    return f"{when}, by {len(jobs)} ended jobs" if jobs else f"{when}, by no job that Batch knows"
