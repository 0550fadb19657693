"""``dayfly.v1`` Observe, Events and Inventory over their Protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.contract import convert
from dayfly.contract.errors import InvalidField, ProviderFailed
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1_grpc
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.sdk.guard import answering

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from dayfly.contract.services import JobEventSource, JobInventory, JobObserver

    Context = grpc.aio.ServicerContext[Any, Any]

_MOST_HANDLES = 10_000


class Observe(v1_grpc.ObserveServicer):
    """Reads jobs."""

    def __init__(self, observer: JobObserver) -> None:
        self._observer = observer

    async def Statuses(self, request: v1.StatusesRequest, context: Context) -> v1.StatusesReply:
        """One observation for each handle, in their order."""
        async with answering(context, "Statuses"):
            if len(request.handles) > _MOST_HANDLES:
                raise InvalidField(
                    f"{len(request.handles)} handles; allowed: {_MOST_HANDLES}", field="handles"
                )
            handles = [convert.handle_from_wire(handle) for handle in request.handles]
            statuses = await self._observer.statuses(handles)
            if len(statuses) != len(handles):
                raise ProviderFailed(
                    f"the provider gave {len(statuses)} statuses for {len(handles)} handles"
                )
            return v1.StatusesReply(observations=map(convert.status_to_wire, statuses))

    async def Logs(self, request: v1.LogsRequest, context: Context) -> AsyncIterator[v1.LogBatch]:
        """Batches from the cursor on; awaiting each yield is the backpressure."""
        async with answering(context, "Logs"):
            handle = convert.handle_from_wire(request.handle)
            query = convert.query_from_wire(request)
            async for batch in self._observer.logs(handle, query):
                yield convert.batch_to_wire(batch)


class Events(v1_grpc.EventsServicer):
    """Says which jobs changed."""

    def __init__(self, source: JobEventSource) -> None:
        self._source = source

    async def Watch(
        self, request: v1.EventsRequest, context: Context
    ) -> AsyncIterator[v1.JobEvent]:
        """Ids of handles, as they change."""
        async with answering(context, "Watch"):
            handles = [convert.handle_from_wire(handle) for handle in request.handles]
            async for handle_id in self._source.events(handles):
                yield v1.JobEvent(handle_id=handle_id)


class Inventory(v1_grpc.InventoryServicer):
    """Lists and removes."""

    def __init__(self, inventory: JobInventory) -> None:
        self._inventory = inventory

    async def List(self, request: v1.ListRequest, context: Context) -> v1.ListReply:
        """Every job of ours that is still known."""
        async with answering(context, "List"):
            jobs = await self._inventory.list_jobs()
            return v1.ListReply(jobs=map(convert.listed_to_wire, jobs))

    async def Delete(self, request: iac.JobHandle, context: Context) -> v1.DeleteReply:
        """Remove one job's leftovers."""
        async with answering(context, "Delete"):
            await self._inventory.delete(convert.handle_from_wire(request))
            return v1.DeleteReply()

    async def Prune(self, request: v1.PruneRequest, context: Context) -> v1.PruneReply:
        """Remove what ended runs left, or say what would go."""
        async with answering(context, "Prune"):
            if request.older_than_seconds < 0:
                raise InvalidField(
                    f"older_than_seconds is {request.older_than_seconds}; allowed: 0 or more",
                    field="older_than_seconds",
                )
            gone = await self._inventory.prune(
                dry_run=request.dry_run, older_than_seconds=request.older_than_seconds
            )
            return v1.PruneReply(leftovers=map(convert.leftover_to_wire, gone))
