"""Launching over the wire."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from dayfly.contract import convert, names
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire.dayfly_v1_pb2_grpc import SubmitStub

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import grpc.aio

    from dayfly.contract.jobs import JobHandle, Progress, Submission, Submitted
    from dayfly.contract.provider import Check, Description, JobPlan
    from dayfly.host.calls import Calls


class SubmitterClient:
    """``JobSubmitter`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = SubmitStub(channel)
        self._calls = calls

    async def describe(self) -> Description:
        """What can be honoured, and the pace."""
        tried = "what it can do"
        wire = await self._calls.unary(
            self._stub.Describe, v1.DescribeRequest(), service=names.SUBMIT, tried=tried
        )
        return self._calls.understood(convert.description_from_wire, wire, tried)

    async def check(self) -> Sequence[Check]:
        """Look at what a launch depends on."""
        reply = await self._calls.unary(
            self._stub.Check, v1.CheckRequest(), service=names.SUBMIT, tried="to check itself"
        )
        return [convert.check_from_wire(check) for check in reply.checks]

    async def plan(self, submission: Submission) -> JobPlan:
        """What ``submit`` would send."""
        wire = await self._calls.unary(
            self._stub.Plan,
            convert.submission_to_wire(submission),
            service=names.SUBMIT,
            tried="to plan a job",
        )
        return convert.plan_from_wire(wire)

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Launch, or adopt what the key already has."""
        tried = "to launch a job"
        events = self._calls.stream(
            self._stub.Submit,
            convert.submission_to_wire(submission),
            service=names.SUBMIT,
            tried=tried,
            idle_seconds=self._calls.deadlines.silence,
        )
        async with aclosing(events):
            async for event in events:
                match event.WhichOneof("event"):
                    case "progress":
                        report(convert.progress_from_wire(event.progress))
                    case "submitted":
                        wire = event.submitted
                        return self._calls.understood(convert.submitted_from_wire, wire, tried)
                    case _:
                        continue  # An event of a later version.
        raise self._calls.misunderstood("it ended without a handle", tried)

    async def find(self, key: str) -> JobHandle | None:
        """The job of this key, or None."""
        tried = "for the job of a key"
        reply = await self._calls.unary(
            self._stub.Find, v1.FindRequest(idempotency_key=key), service=names.SUBMIT, tried=tried
        )
        if not reply.HasField("handle"):
            return None
        return self._calls.understood(convert.handle_from_wire, reply.handle, tried)
