"""Reading jobs over the wire."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from dayfly.contract import convert, names
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire.dayfly_v1_pb2_grpc import ObserveStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import grpc.aio

    from dayfly.contract.jobs import JobHandle, JobStatus, LogBatch, LogQuery
    from dayfly.host.calls import Calls


class ObserverClient:
    """``JobObserver`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = ObserveStub(channel)
        self._calls = calls

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One status per handle, in their order."""
        tried = f"about {len(handles)} jobs"
        reply = await self._calls.unary(
            self._stub.Statuses,
            v1.StatusesRequest(handles=[convert.handle_to_wire(handle) for handle in handles]),
            service=names.OBSERVE,
            tried=tried,
        )
        found = [
            self._calls.understood(convert.status_from_wire, wire, tried)
            for wire in reply.observations
        ]
        asked, answered = [h.id for h in handles], [status.handle.id for status in found]
        if asked != answered:
            # One job's end must never be taken for another's.
            what = f"asked about {asked[:3]}, {len(asked)} in all; it spoke of {answered[:3]}"
            raise self._calls.misunderstood(f"{what}, {len(answered)} in all", tried)
        return found

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        """What there is from the cursor on."""
        tried = f"for the output of job {handle.id}"
        batches = self._calls.stream(
            self._stub.Logs,
            convert.query_to_wire(handle, query),
            service=names.OBSERVE,
            tried=tried,
        )
        async with aclosing(batches):
            async for wire in batches:
                yield self._calls.understood(convert.batch_from_wire, wire, tried)
