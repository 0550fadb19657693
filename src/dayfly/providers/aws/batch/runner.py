"""Jobs on AWS Batch, from launch to log."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import DataLoss, NotFound, Unavailable
from dayfly.contract.groups import together
from dayfly.contract.provider import JobPlan, PlannedCall
from dayfly.providers.aws.batch.definitions import Definitions
from dayfly.providers.aws.batch.describe import describe
from dayfly.providers.aws.batch.inventory import Inventory, refuse_stranger
from dayfly.providers.aws.batch.launch import Launcher
from dayfly.providers.aws.batch.queue import Queue, current
from dayfly.providers.aws.batch.reasons import CANCEL_WORDS
from dayfly.providers.aws.batch.states import has_ended, status_of, time_of, unknown
from dayfly.providers.aws.price import price_note
from dayfly.providers.aws.young import is_new

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus, Submission, Submitted
    from dayfly.contract.provider import Check, Description, Leftover, ListedJob
    from dayfly.providers.aws.batch.prepare import Prepared
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.logs.reader import LogPlace

#: A job's id. Source: docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html
_JOB: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Source: docs.aws.amazon.com/batch/latest/userguide/using_awslogs.html
_DEFAULT_GROUP: Final = "/aws/batch/job"
#: From TERM to KILL. Source: docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html
_STOP_SECONDS: Final = 30

Json = dict[str, Any]


class BatchRunner:
    """One queue of AWS Batch (``runners.Runner``)."""

    def __init__(self, aws: Aws, config: Config) -> None:
        self._aws, self._config = aws, config
        self._queue = Queue(aws, config)
        self._definitions = Definitions(aws)
        self._launcher = Launcher(aws, config, self._queue, self._definitions)
        self._inventory = Inventory(aws, self._queue, self._definitions)

    def describe(self) -> Description:
        """What a launch here honours."""
        return describe(self._config)

    async def submit(self, submission: Submission) -> Submitted:
        """Launch, or adopt what the key already has."""
        return await self._launcher.launch(submission)

    async def find(self, key: str) -> JobHandle | None:
        """The key's job, or None."""
        job = current(await self._queue.of_key(key))
        return await self._queue.handle_of(job) if job else None

    async def plan(self, submission: Submission) -> JobPlan:
        """The requests of a launch; nothing is created."""
        prepared = await self._launcher.prepare(submission)
        new, request = prepared.definition, prepared.request
        calls = []
        if new is not None:
            note = "Only where there is no active definition of this name."
            calls.append(_planned("batch:RegisterJobDefinition", new.request, note))
        request = {**request, "jobDefinition": new.name if new else prepared.target}
        note = "Only where the key has no job yet; the definition is named by its revision's ARN."
        calls.append(_planned("batch:SubmitJob", request, note))
        return JobPlan(
            calls=tuple(calls), notes=(*prepared.notes, *self._price(prepared, submission))
        )

    async def check(self) -> Sequence[Check]:
        """The queue, and what runs its jobs."""
        from dayfly.providers.aws.batch.checks import run_checks  # noqa: PLC0415 - for doctor only

        return await run_checks(self._aws, self._config)

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One status per handle, in their order."""
        regions = {handle.metadata.get("region", "") for handle in handles}
        answers = await together(self._seen(handles, region) for region in regions)
        seen = dict(zip(regions, answers, strict=True))
        return [seen[handle.metadata.get("region", "")][handle.id] for handle in handles]

    async def log_place(self, handle: JobHandle) -> LogPlace | None:
        """Where the job's output is; None while it has none.

        Raises:
            NotFound: There is no such job.
            DataLoss: Its definition sends the output elsewhere.
        """
        from dayfly.providers.aws.logs.reader import LogPlace  # noqa: PLC0415 - after the handshake

        job = await self._look(handle)
        container = job.get("container") or {}
        attempts = [attempt.get("container") or {} for attempt in job.get("attempts") or []]
        streams = [
            one["logStreamName"] for one in (*attempts, container) if one.get("logStreamName")
        ]
        logging = container.get("logConfiguration") or {}
        if logging.get("logDriver", "awslogs") != "awslogs":
            raise DataLoss(
                f"the job {job['jobName']} logs to {logging['logDriver']}, which dayfly cannot read"
            )
        if not streams:
            return None
        options = logging.get("options") or {}
        return LogPlace(
            region=options.get("awslogs-region") or handle.metadata.get("region", ""),
            group=options.get("awslogs-group") or _DEFAULT_GROUP,
            stream=streams[-1],
            since=time_of(job, "createdAt"),
            ended=has_ended(job),
        )

    async def cancel(self, handle: JobHandle) -> None:
        """Ask for the stop, also of a job that has not begun. What has ended stays as it is.

        Raises:
            NotFound: There is no such job.
            Unavailable: It is too new to be visible.
            FailedPrecondition: Dayfly did not make it.
        """
        job = await self._look(handle)
        refuse_stranger(job)
        if has_ended(job):
            return
        await self._aws.call(
            "batch",
            "TerminateJob",
            region=handle.metadata.get("region", ""),
            tried=f"stopping the job {handle.name or handle.id}",
            jobId=handle.id,
            reason=CANCEL_WORDS,
        )

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every own job that Batch still knows."""
        return await self._inventory.list_jobs()

    async def delete(self, handle: JobHandle) -> None:
        """Remove what was made for this job alone."""
        await self._inventory.delete(handle)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove own definitions that nothing uses, or say which would go."""
        return await self._inventory.prune(dry_run=dry_run, older_than_seconds=older_than_seconds)

    async def close(self) -> None:
        """Nothing here outlives its call."""

    def _price(self, prepared: Prepared, submission: Submission) -> tuple[str, ...]:
        if prepared.size is None or not self._config.fargate:
            return ()
        timeout = submission.spec.timeout_seconds
        note = price_note(
            prepared.size,
            self._config.prices,
            timeout_seconds=timeout,
            stop_seconds=_STOP_SECONDS,
        )
        return (note,) if note else ()

    async def _seen(self, handles: Sequence[JobHandle], region: str) -> dict[str, JobStatus]:
        its = [handle for handle in handles if handle.metadata.get("region", "") == region]
        details = await self._queue.details((handle.id for handle in its), region)
        summaries = await self._queue.summaries(details.values(), region)
        return {
            handle.id: status_of(handle, job, summaries.get(handle.id))
            if (job := details.get(handle.id))
            else unknown(handle)
            for handle in its
        }

    async def _look(self, handle: JobHandle) -> Json:
        region = handle.metadata.get("region", "")
        job = (await self._queue.details([handle.id], region)).get(handle.id)
        if job is None and _JOB.fullmatch(handle.id) and is_new(handle):
            raise Unavailable(f"the job {handle.name or handle.id} is not visible at Batch yet")
        if job is None:
            raise NotFound(
                f"Batch has no job {handle.id!r:.100}; it keeps ended ones for 7 days",
                field="handle.id",
            )
        return job


def _planned(call: str, request: Json, note: str) -> PlannedCall:
    return PlannedCall(call=call, request=json.dumps(request, indent=2), note=note)
