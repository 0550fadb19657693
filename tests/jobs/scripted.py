"""A provider in this process that does what a test tells it to, and counts what it is asked."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import (
    AlreadyExists,
    DayflyError,
    FailedPrecondition,
    NotFound,
    Unavailable,
)
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import (
    ExitCodeSource,
    JobHandle,
    JobSpec,
    JobState,
    JobStatus,
    LogBatch,
    LogQuery,
    Progress,
    Reason,
    Stream,
    Submission,
    Submitted,
)
from dayfly.contract.provider import Check, Description, JobPlan, Leftover, ListedJob, PlannedCall
from dayfly.contract.services import Services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

QUICK = Description(
    provider="scripted",
    version="1.0.0",
    honours=frozenset({"command", "run_command", "env", "image"}),
    poll_min_seconds=0.01,
    poll_max_seconds=0.05,
)


@dataclass
class ScriptedJob:
    """One job: its spec, how it stands, what it has printed."""

    handle: JobHandle
    submission: Submission
    status: JobStatus
    output: list[LogBatch] = field(default_factory=list)

    def prints(self, data: bytes, stream: Stream = Stream.STDOUT, **parts: object) -> None:
        cursor = str(len(self.output) + 1)
        self.output.append(LogBatch(stream=stream, data=data, cursor=cursor, **parts))

    def ends(self, exit_code: int | None = 0, **parts: object) -> None:
        good = exit_code == 0
        ended = JobStatus(
            handle=self.handle,
            state=JobState.SUCCEEDED if good else JobState.FAILED,
            exit_code=exit_code,
            exit_code_source=ExitCodeSource.REPORTED,
            reason=Reason.COMPLETED if good else Reason.EXITED_NONZERO,
        )
        self.status = replace(ended, **parts)


class Scripted:
    """Every capability in one object.

    Attributes:
        faults: By method, what its next calls do: raise an error, or None to work.
        lost: How many launches create the job and then lose the answer.
        delay: Seconds that a method takes.
        hidden: How many looks see no record of a job.
        heeds_stop: A stop ends the job.
        page: Batches per answer to ``logs``; 0 gives all.
        repeats: Batches that a resumed page gives again.
        marks_end: The last page of an ended job says so.
        breaks: Cursors after which reading breaks off, once each.
    """

    def __init__(self, description: Description = QUICK) -> None:
        self.description = description
        self.jobs: dict[str, ScriptedJob] = {}
        self.calls: Counter[str] = Counter()
        self._begun: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.batches: list[int] = []
        self.queries: list[LogQuery] = []
        self.sent: list[Submission] = []
        self.faults: defaultdict[str, deque[DayflyError | None]] = defaultdict(deque)
        self.delay: defaultdict[str, float] = defaultdict(float)
        self.lost = 0
        self.hidden = 0
        self.heeds_stop = True
        self.page = 0
        self.repeats = 0
        self.marks_end = False
        self.breaks: dict[str, DayflyError] = {}
        self.changed: asyncio.Queue[str | None] = asyncio.Queue()
        self.on_submit: Callable[[ScriptedJob], None] = lambda job: None

    def services(self, *without: str, events: bool = False) -> Services:
        served = dict.fromkeys(("submitter", "observer", "canceler", "inventory"), self)
        served["events"] = self if events else None
        return Services(**(served | dict.fromkeys(without)))

    @property
    def only(self) -> ScriptedJob:
        (job,) = self.jobs.values()
        return job

    async def called(self, method: str, times: int = 1) -> None:
        """Return once a method was called so often."""
        async with asyncio.timeout(5):
            while self.calls[method] < times:
                self._begun[method].clear()
                await self._begun[method].wait()

    async def _called(self, method: str) -> None:
        self.calls[method] += 1
        self._begun[method].set()
        await asyncio.sleep(self.delay[method])
        if self.faults[method] and (fault := self.faults[method].popleft()):
            raise fault

    # JobSubmitter

    async def describe(self) -> Description:
        await self._called("describe")
        return self.description

    async def check(self) -> Sequence[Check]:
        await self._called("check")
        return ()

    async def plan(self, submission: Submission) -> JobPlan:
        await self._called("plan")
        return JobPlan(calls=(PlannedCall(call="Start", request=submission.spec.name),))

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        self.sent.append(submission)
        await self._called("submit")
        known = self._by_key(submission.key)
        if known is None:
            known = self._start(submission)
            report(Progress(phase="started"))
            if self.lost:
                self.lost -= 1
                raise lost_answer()
            return Submitted(handle=known.handle, notes=("memory rounded up",))
        if intent_digest(known.submission.spec) != intent_digest(submission.spec):
            raise AlreadyExists(f"key {submission.key} is another job's")
        return Submitted(handle=known.handle, adopted=True)

    async def find(self, key: str) -> JobHandle | None:
        await self._called("find")
        known = self._by_key(key)
        return known.handle if known else None

    def _by_key(self, key: str) -> ScriptedJob | None:
        return next((job for job in self.jobs.values() if job.submission.key == key), None)

    def _start(self, submission: Submission) -> ScriptedJob:
        handle = JobHandle(id=f"job-{len(self.jobs)}", name=submission.spec.name)
        running = JobStatus(handle=handle, state=JobState.RUNNING)
        job = self.jobs[handle.id] = ScriptedJob(handle, submission, running)
        self.on_submit(job)
        return job

    # JobObserver

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        self.batches.append(len(handles))
        await self._called("statuses")
        if self.hidden:
            self.hidden -= 1
            return [JobStatus(handle=handle, state=JobState.UNKNOWN) for handle in handles]
        return [self._status(handle) for handle in handles]

    def _status(self, handle: JobHandle) -> JobStatus:
        job = self.jobs.get(handle.id)
        return job.status if job else JobStatus(handle=handle, state=JobState.UNKNOWN)

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        self.queries.append(query)
        await self._called("logs")
        job = self.jobs.get(handle.id)
        if job is None:
            raise NotFound(f"no job {handle.id}")
        position, over = int(query.cursor or 0), job.status.final
        start = max(position - self.repeats, 0)
        stop = position + self.page if self.page else len(job.output)
        for batch in job.output[start:stop]:
            yield batch
            if broken := self.breaks.pop(batch.cursor, None):
                raise broken
        if self.marks_end and over and stop >= len(job.output):
            cursor = str(len(job.output))
            yield LogBatch(stream=Stream.STDOUT, data=b"", cursor=cursor, end=True)

    # JobCanceler

    async def cancel_job(self, handle: JobHandle) -> None:
        await self._called("cancel_job")
        job = self.jobs[handle.id]
        if self.heeds_stop and not job.status.final:
            job.ends(143, state=JobState.CANCELLED, reason=Reason.CANCELLED, signal=15)

    # JobEventSource

    async def events(self, handles: Sequence[JobHandle]) -> AsyncIterator[str]:
        await self._called("events")
        while (changed := await self.changed.get()) is not None:
            yield changed

    # JobInventory

    async def list_jobs(self) -> Sequence[ListedJob]:
        await self._called("list_jobs")
        return [ListedJob(status=j.status, key=j.submission.key) for j in self.jobs.values()]

    async def delete(self, handle: JobHandle) -> None:
        await self._called("delete")
        job = self.jobs.get(handle.id)
        if job and not job.status.final:
            raise FailedPrecondition(f"{handle.id} has not ended")
        self.jobs.pop(handle.id, None)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        await self._called("prune")
        ended = [job for job in self.jobs.values() if job.status.final]
        for job in () if dry_run else ended:
            del self.jobs[job.handle.id]
        return [Leftover(kind="job", name=job.handle.id) for job in ended]


class ClassicRunner:
    """The classic service over a scripted provider: no keys, no cursors, no batches."""

    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted

    async def run_job(self, spec: JobSpec) -> JobHandle:
        key = f"call-{self._scripted.calls['submit']}"
        submission = Submission(spec=spec, key=key)
        return (await self._scripted.submit(submission, lambda progress: None)).handle

    async def job_status(self, handle: JobHandle) -> JobStatus:
        (status,) = await self._scripted.statuses([handle])
        if status.state is JobState.UNKNOWN:
            raise NotFound(f"no job {handle.id}")
        return status

    async def job_logs(self, handle: JobHandle) -> AsyncIterator[LogBatch]:
        async for batch in self._scripted.logs(handle, LogQuery()):
            yield replace(batch, cursor="")


def lost_answer() -> DayflyError:
    return Unavailable("the connection was reset")
