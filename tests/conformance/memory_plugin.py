"""A small third-party plugin, jobs in its own memory, and the faults that it can be told to have.

It shows that the kit's rules can fail: each fault breaks a promise, and a rule says which.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import AlreadyExists, InvalidField, NotFound
from dayfly.contract.identity import intent_digest, key_digest
from dayfly.contract.jobs import (
    ExitCodeSource,
    JobHandle,
    JobState,
    JobStatus,
    LogBatch,
    Reason,
    Stream,
    Submitted,
)
from dayfly.contract.provider import Description, JobPlan, PlannedCall
from dayfly.sdk import Plugin, serve
from dayfly.sdk.secrets import SecretResolver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from dayfly.contract.jobs import JobSpec, LogQuery, Submission

_PIECE = 64 * 1024


@dataclass
class _Job:
    handle: JobHandle
    intent: str
    output: list[tuple[Stream, bytes]] = field(default_factory=list)
    exit_code: int | None = None
    task: asyncio.Task[None] | None = None


class Memory:
    """Submitter and observer in one."""

    def __init__(self) -> None:
        self.fault = ""
        self.jobs: dict[str, _Job] = {}
        self.secrets = SecretResolver()

    async def initialize(self, config: Mapping[str, object]) -> None:
        extra = sorted(config.keys() - {"fault"})
        if extra:
            raise InvalidField(f"there is no option {extra[0]!r}", field=extra[0])
        self.fault = str(config.get("fault", ""))

    async def describe(self) -> Description:
        honours = {"command", "run_command", "env", "secrets"}
        if self.fault == "ignores-a-field":
            honours.add("working_dir")
        if self.fault == "lets-jobs-out":
            honours.add("isolation.no_new_privileges")
        return Description(
            provider="memory",
            version="1.0.0",
            honours=frozenset(honours),
            secret_forms=self.secrets.forms,
            poll_min_seconds=0.02,
            poll_max_seconds=0.2,
        )

    async def check(self) -> list[object]:
        return []

    async def plan(self, submission: Submission) -> JobPlan:
        return JobPlan(calls=(PlannedCall(call="exec", request=repr(submission.spec.argv)),))

    async def find(self, key: str) -> JobHandle | None:
        job = self.jobs.get(key_digest(key))
        return job.handle if job else None

    async def submit(self, submission: Submission, report: object) -> Submitted:
        digest, intent = key_digest(submission.key), intent_digest(submission.spec)
        if self.fault == "starts-twice":
            digest += str(len(self.jobs))
        secrets = await self.secrets.resolve(submission.spec.secrets)
        if known := self.jobs.get(digest):
            if known.intent != intent:
                raise AlreadyExists("the key has another job")
            return Submitted(handle=known.handle, adopted=True)
        handle = JobHandle(id=digest, provider="memory")
        if self.fault == "shows-the-secret":
            handle = replace(handle, metadata=secrets)
        job = self.jobs[digest] = _Job(handle, intent)
        job.task = asyncio.create_task(self._run(job, submission.spec, secrets))
        return Submitted(handle=handle)

    async def _run(self, job: _Job, spec: JobSpec, secrets: Mapping[str, str]) -> None:
        argv = spec.argv
        if self.fault == "joins-argv":
            argv = ("/bin/sh", "-c", " ".join(argv))
        process = await asyncio.create_subprocess_exec(
            *argv,
            env={"PATH": os.environ["PATH"], **spec.env, **secrets},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(job, Stream.STDOUT, process.stdout))
            group.create_task(self._pump(job, Stream.STDERR, process.stderr))
        code = await process.wait()
        job.exit_code = code if code >= 0 else 128 - code
        if self.fault == "guesses-the-code" and code:
            job.exit_code = 1

    async def _pump(self, job: _Job, stream: Stream, pipe: asyncio.StreamReader | None) -> None:
        assert pipe
        if self.fault == "mixes-streams":
            stream = Stream.STDOUT
        while data := await pipe.read(_PIECE):
            job.output.append((stream, data))
        if self.fault == "adds-a-newline":
            job.output.append((stream, b"\n"))
        if self.fault == "loses-a-line" and len(job.output) > 3:
            del job.output[2]

    async def statuses(self, handles: Sequence[JobHandle]) -> list[JobStatus]:
        return [self._status(handle) for handle in handles]

    def _status(self, handle: JobHandle) -> JobStatus:
        job = self.jobs.get(handle.id)
        if job is None:
            state = JobState.PENDING if self.fault == "invents-jobs" else JobState.UNKNOWN
            return JobStatus(handle=handle, state=state)
        if job.exit_code is None:
            return JobStatus(handle=handle, state=JobState.RUNNING)
        failed = job.exit_code != 0
        return JobStatus(
            handle=handle,
            state=JobState.FAILED if failed else JobState.SUCCEEDED,
            exit_code=job.exit_code,
            exit_code_source=ExitCodeSource.REPORTED,
            reason=Reason.EXITED_NONZERO if failed else Reason.COMPLETED,
        )

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        job = self.jobs.get(handle.id)
        if job is None:
            raise NotFound(f"there is no job {handle.id!r}")
        ended = job.exit_code is not None
        begin = int(query.cursor or "0")
        for number, (stream, data) in enumerate(job.output[begin:], begin + 1):
            yield LogBatch(stream=stream, data=data, cursor=str(number))
        if ended:
            yield LogBatch(stream=Stream.STDOUT, data=b"", cursor=str(len(job.output)), end=True)


def main() -> None:
    memory = Memory()
    serve(
        Plugin(
            name="memory",
            version="1.0.0",
            initialize=memory.initialize,
            submitter=memory,  # type: ignore[arg-type]
            observer=memory,
        )
    )


if __name__ == "__main__":
    main()
