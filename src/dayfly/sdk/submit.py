"""``dayfly.v1.Submit`` over a ``JobSubmitter``: every job is checked before it gets there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from dayfly.contract import convert
from dayfly.contract.honour import refuse_unhonoured
from dayfly.contract.validate import validate_key, validate_spec
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1_grpc
from dayfly.sdk.guard import answering

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from dayfly.contract.jobs import Progress, Submission, Submitted
    from dayfly.contract.services import JobSubmitter

    Context = grpc.aio.ServicerContext[Any, Any]


class Submit(v1_grpc.SubmitServicer):
    """Launches, plans and finds."""

    def __init__(self, submitter: JobSubmitter) -> None:
        self._submitter = submitter

    async def Describe(self, request: v1.DescribeRequest, context: Context) -> v1.Description:
        """What can be honoured."""
        async with answering(context, "Describe"):
            return convert.description_to_wire(await self._submitter.describe())

    async def Check(self, request: v1.CheckRequest, context: Context) -> v1.CheckReply:
        """What a launch depends on."""
        async with answering(context, "Check"):
            checks = await self._submitter.check()
            return v1.CheckReply(checks=map(convert.check_to_wire, checks))

    async def Plan(self, request: v1.Submission, context: Context) -> v1.PlanReply:
        """What a launch would send."""
        async with answering(context, "Plan"):
            submission = await self._checked(request)
            return convert.plan_to_wire(await self._submitter.plan(submission))

    async def Submit(
        self, request: v1.Submission, context: Context
    ) -> AsyncIterator[v1.SubmitEvent]:
        """Progress as it comes, then the handle."""
        async with answering(context, "Submit"):
            submission = await self._checked(request)
            news: asyncio.Queue[Progress | None] = asyncio.Queue()
            launch = asyncio.create_task(self._launch(submission, news))
            try:
                while (progress := await news.get()) is not None:
                    yield convert.progress_to_wire(progress)
                yield convert.submitted_to_wire(await launch)
            finally:
                launch.cancel()

    async def _launch(
        self, submission: Submission, news: asyncio.Queue[Progress | None]
    ) -> Submitted:
        try:
            return await self._submitter.submit(submission, news.put_nowait)
        finally:
            news.put_nowait(None)

    async def Find(self, request: v1.FindRequest, context: Context) -> v1.FindReply:
        """The job of a key."""
        async with answering(context, "Find"):
            validate_key(request.idempotency_key)
            handle = await self._submitter.find(request.idempotency_key)
            return v1.FindReply(handle=convert.handle_to_wire(handle) if handle else None)

    async def _checked(self, request: v1.Submission) -> Submission:
        submission = convert.submission_from_wire(request)
        validate_key(submission.key)
        validate_spec(submission.spec)
        refuse_unhonoured(submission.spec, await self._submitter.describe())
        return submission
