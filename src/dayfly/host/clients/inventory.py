"""What is there, and its removal, over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract import convert, names
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire.dayfly_v1_pb2_grpc import InventoryStub

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc.aio

    from dayfly.contract.jobs import JobHandle
    from dayfly.contract.provider import Leftover, ListedJob
    from dayfly.host.calls import Calls


class InventoryClient:
    """``JobInventory`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = InventoryStub(channel)
        self._calls = calls

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every job that dayfly made there and that is still known."""
        tried = "for its jobs"
        reply = await self._calls.unary(
            self._stub.List, v1.ListRequest(), service=names.INVENTORY, tried=tried
        )
        return [self._calls.understood(convert.listed_from_wire, job, tried) for job in reply.jobs]

    async def delete(self, handle: JobHandle) -> None:
        """Remove the job and what was made for it."""
        await self._calls.unary(
            self._stub.Delete,
            convert.handle_to_wire(handle),
            service=names.INVENTORY,
            tried=f"to remove job {handle.id}",
        )

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove what ended runs left, or only say what would go."""
        reply = await self._calls.unary(
            self._stub.Prune,
            v1.PruneRequest(dry_run=dry_run, older_than_seconds=older_than_seconds),
            service=names.INVENTORY,
            tried="to prune",
            seconds=self._calls.deadlines.prune,
        )
        return [convert.leftover_from_wire(leftover) for leftover in reply.leftovers]
