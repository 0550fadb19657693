"""A plugin made with the SDK that serves the classic runner alone; jobs die with it."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.contract.jobs import JobHandle, JobSpec, JobState, JobStatus, LogBatch, Reason, Stream
from dayfly.sdk import Plugin, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class Job:
    """A process, and what it printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output: list[LogBatch] = []
        self.changed = asyncio.Condition()
        self.code: int | None = None
        self._task = asyncio.create_task(self._collect())

    async def batch(self, number: int) -> LogBatch | None:
        """This piece of the output, once it is there; None where there will be none."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.output) > number or self.code is not None)
        return self.output[number] if number < len(self.output) else None

    async def _collect(self) -> None:
        await asyncio.gather(
            self._read(self.process.stdout, Stream.STDOUT),
            self._read(self.process.stderr, Stream.STDERR),
        )
        code = await self.process.wait()
        async with self.changed:
            self.code = code
            self.changed.notify_all()

    async def _read(self, pipe: asyncio.StreamReader, stream: Stream) -> None:
        while data := await pipe.read(65536):
            async with self.changed:
                self.output.append(LogBatch(stream=stream, data=data, cursor=""))
                self.changed.notify_all()


class Runner:
    """``JobRunner``."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    async def run_job(self, spec: JobSpec) -> JobHandle:
        if spec.cron:
            raise InvalidField("cron is not honoured here", field="cron")
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            spec.run_command,
            env={"PATH": os.environ["PATH"], "INTEROP_JOB_OF": sys.argv[1], **spec.env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        handle = JobHandle(id=f"job-{len(self._jobs) + 1}", name=spec.name, provider="classic")
        self._jobs[handle.id] = Job(process)
        return handle

    async def job_status(self, handle: JobHandle) -> JobStatus:
        code = self._job(handle).code
        status = JobStatus(handle=handle, state=JobState.RUNNING)
        if code is None:
            return status
        if code == 0:
            return replace(status, state=JobState.SUCCEEDED, exit_code=0, reason=Reason.COMPLETED)
        code = code if code > 0 else 128 - code
        return replace(status, state=JobState.FAILED, exit_code=code, reason=Reason.EXITED_NONZERO)

    async def job_logs(self, handle: JobHandle) -> AsyncIterator[LogBatch]:
        job, number = self._job(handle), 0
        while (batch := await job.batch(number)) is not None:
            yield batch
            number += 1

    def _job(self, handle: JobHandle) -> Job:
        if handle.id not in self._jobs:
            raise NotFound(f"there is no job {handle.id!r}")
        return self._jobs[handle.id]


async def initialize(config: Mapping[str, object]) -> None:
    for key in config:
        raise InvalidField(f"{key} is not a key of this plugin", field=key)


if __name__ == "__main__":
    serve(Plugin(name="classic", version="1.4.2", initialize=initialize, runner=Runner()))
