"""``dayfly.v1.Submit``: a job is checked here, before its provider sees it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from dayfly.contract import convert
from dayfly.contract.honour import refuse_unhonoured
from dayfly.contract.validate import validate_key, validate_spec
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.jobs import JobSpec, Progress, Submission
    from dayfly.contract.services import JobSubmitter

#: A slow reader misses old progress, not new.
_KEPT_PROGRESS: Final = 64


class Submit(v1_grpc.SubmitServicer):
    """A ``JobSubmitter`` on the wire."""

    def __init__(self, submitter: JobSubmitter) -> None:
        self._submitter = submitter

    async def Describe(self, request: v1.DescribeRequest, context: object) -> v1.Description:
        """What can be honoured."""
        return convert.description_to_wire(await self._submitter.describe())

    async def Check(self, request: v1.CheckRequest, context: object) -> v1.CheckReply:
        """What a launch depends on."""
        return v1.CheckReply(
            checks=[convert.check_to_wire(check) for check in await self._submitter.check()]
        )

    async def Plan(self, request: v1.Submission, context: object) -> v1.PlanReply:
        """What Submit would send."""
        submission = await self._checked(request)
        return convert.plan_to_wire(await self._submitter.plan(submission))

    async def Submit(
        self, request: v1.Submission, context: object
    ) -> AsyncIterator[v1.SubmitEvent]:
        """Progress, and then the one handle."""
        submission = await self._checked(request)
        progress = _ProgressReport()
        launch = asyncio.create_task(self._submitter.submit(submission, progress.report))
        launch.add_done_callback(progress.end)
        try:
            async for item in progress.items():
                yield convert.progress_to_wire(item)
            yield convert.submitted_to_wire(await launch)
        finally:
            launch.cancel()
            await asyncio.gather(launch, return_exceptions=True)

    async def Find(self, request: v1.FindRequest, context: object) -> v1.FindReply:
        """The key's job, where it has one."""
        validate_key(request.idempotency_key)
        handle = await self._submitter.find(request.idempotency_key)
        return v1.FindReply(handle=None if handle is None else convert.handle_to_wire(handle))

    async def _checked(self, request: v1.Submission) -> Submission:
        submission = convert.submission_from_wire(request)
        validate_key(submission.key)
        await check_job(submission.spec, self._submitter)
        return submission


async def check_job(spec: JobSpec, submitter: JobSubmitter) -> None:
    """Refuse what no provider could take, and what this one cannot honour.

    Raises:
        InvalidField: Naming the field.
    """
    validate_spec(spec)
    refuse_unhonoured(spec, await submitter.describe())


class _ProgressReport:
    """Progress from a provider, on whatever thread it works, to the call's stream."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Progress] = deque(maxlen=_KEPT_PROGRESS)
        self._changed = asyncio.Event()
        self._ended = False

    def report(self, progress: Progress) -> None:
        """Taken from any thread; comes before the end that follows it."""
        self._loop.call_soon_threadsafe(self._add, progress)

    def end(self, _launch: object) -> None:
        """Nothing more is waited for."""
        self._ended = True
        self._changed.set()

    async def items(self) -> AsyncIterator[Progress]:
        """What was reported, to the launch's end."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def _add(self, progress: Progress) -> None:
        self._waiting.append(progress)
        self._changed.set()
