"""Cancelling over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract import convert, names
from dayfly.contract.wire.iac_pb2_grpc import IaCProviderJobCancelerStub

if TYPE_CHECKING:
    import grpc.aio

    from dayfly.contract.jobs import JobHandle
    from dayfly.host.calls import Calls


class CancelerClient:
    """``JobCanceler`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = IaCProviderJobCancelerStub(channel)
        self._calls = calls

    async def cancel_job(self, handle: JobHandle) -> None:
        """Ask for the stop."""
        await self._calls.unary(
            self._stub.CancelJob,
            convert.handle_to_wire(handle),
            service=names.CANCELER,
            tried=f"to cancel job {handle.id}",
            seconds=self._calls.deadlines.cancel,
        )
