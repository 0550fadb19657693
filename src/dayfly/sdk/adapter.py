"""The classic runner over a provider that has Submit and Observe, for hosts that know no other."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from dayfly.contract.errors import NotFound
from dayfly.contract.honour import refuse_unhonoured
from dayfly.contract.jobs import JobState, LogQuery, Submission
from dayfly.contract.validate import validate_spec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.jobs import JobHandle, JobSpec, JobStatus, LogBatch, Progress
    from dayfly.contract.services import JobObserver, JobSubmitter

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0


class RunnerAdapter:
    """A ``JobRunner``. Each run is another job: the classic call has no idempotency key."""

    def __init__(self, submitter: JobSubmitter, observer: JobObserver) -> None:
        self._submitter = submitter
        self._observer = observer

    async def run_job(self, spec: JobSpec) -> JobHandle:
        """Launch under a key that nobody else has."""
        validate_spec(spec)
        refuse_unhonoured(spec, await self._submitter.describe())
        submission = Submission(spec=spec, key=secrets.token_hex(16))
        return (await self._submitter.submit(submission, _unheard)).handle

    async def job_status(self, handle: JobHandle) -> JobStatus:
        """One look."""
        (status,) = await self._observer.statuses([handle])
        if status.state is JobState.UNKNOWN:
            raise NotFound(f"there is no job {handle.id}: {status.message or 'no record of it'}")
        return status

    async def job_logs(self, handle: JobHandle) -> AsyncIterator[LogBatch]:
        """The output to its end. A classic host has no cursor to go on from, so this follows."""
        cursor, pause = "", _FIRST_PAUSE_SECONDS
        drain_seconds = (await self._submitter.describe()).log_drain_seconds
        drained_by: float | None = None
        while True:
            (status,) = await self._observer.statuses([handle])
            before = cursor
            async for batch in self._observer.logs(handle, LogQuery(cursor=cursor, follow=True)):
                cursor = batch.cursor
                yield batch
                if batch.end:
                    return
            now = asyncio.get_running_loop().time()
            if status.final:
                drained_by = drained_by if drained_by is not None else now + drain_seconds
                if cursor == before and now >= drained_by:
                    return
            pause = (
                _FIRST_PAUSE_SECONDS if cursor != before else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            )
            await asyncio.sleep(pause)


def _unheard(progress: Progress) -> None:
    """A classic host cannot be told how far a launch has come."""
