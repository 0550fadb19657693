"""The classic runner over a plugin's own services, so that a Go host can load it too."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

from dayfly.contract.errors import NotFound
from dayfly.contract.jobs import JobState, LogQuery, Submission
from dayfly.sdk.submit import check_job

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dayfly.contract.jobs import JobHandle, JobSpec, JobStatus, LogBatch, Progress
    from dayfly.contract.services import JobObserver, JobSubmitter


class RunnerAdapter:
    """``JobRunner`` made of a submitter and an observer."""

    def __init__(self, submitter: JobSubmitter, observer: JobObserver) -> None:
        self._submitter = submitter
        self._observer = observer

    async def run_job(self, spec: JobSpec) -> JobHandle:
        """Start a job under a key that nobody else has: every call starts another.

        Raises:
            InvalidField: The provider cannot honour a field.
        """
        await check_job(spec, self._submitter)
        submission = Submission(spec=spec, key=os.urandom(16).hex())
        return (await self._submitter.submit(submission, _unheard)).handle

    async def job_status(self, handle: JobHandle) -> JobStatus:
        """Where the job stands.

        Raises:
            NotFound: The provider has no record of it; a classic host would ask for ever.
        """
        [status] = await self._observer.statuses([handle])
        if status.state is JobState.UNKNOWN:
            raise NotFound(f"there is no record of job {handle.id}: {status.message}".rstrip(": "))
        return status

    async def job_logs(self, handle: JobHandle) -> AsyncGenerator[LogBatch, None]:
        """The job's output to its end, page after page.

        Raises:
            NotFound: There is no such job.
        """
        description = await self._submitter.describe()
        clock = asyncio.get_running_loop().time
        cursor, pause, drained_at = "", description.poll_min_seconds, 0.0
        while True:
            before, page = cursor, self._page(handle, cursor)
            async with aclosing(page):
                async for batch in page:
                    cursor = batch.cursor
                    yield batch
                    if batch.end:
                        return
            if cursor != before:
                pause = description.poll_min_seconds
                continue
            if drained_at and clock() >= drained_at:
                return
            if not drained_at and (await self.job_status(handle)).final:
                # Once more after the end, and for as long as output may still arrive.
                drained_at = clock() + description.log_drain_seconds
                continue
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, description.poll_max_seconds)

    async def _page(self, handle: JobHandle, cursor: str) -> AsyncGenerator[LogBatch, None]:
        async for batch in self._observer.logs(handle, LogQuery(cursor=cursor, follow=True)):
            yield batch


def _unheard(_progress: Progress) -> None:
    """A classic host has no ear for progress."""
