"""``dayfly.v1`` Observe, Events and Inventory over their Protocols."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from dayfly.contract import convert
from dayfly.contract.errors import InvalidField, ProviderFailed
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1_grpc
from dayfly.sdk.batches import gathered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.services import JobEventSource, JobInventory, JobObserver
    from dayfly.contract.wire import iac_pb2 as iac

_MOST_HANDLES: Final = 10_000


class Observe(v1_grpc.ObserveServicer):
    """A ``JobObserver`` on the wire."""

    def __init__(self, observer: JobObserver) -> None:
        self._observer = observer

    async def Statuses(self, request: v1.StatusesRequest, context: object) -> v1.StatusesReply:
        """One observation for each handle."""
        if len(request.handles) > _MOST_HANDLES:
            raise InvalidField(
                f"{len(request.handles)} handles; allowed: {_MOST_HANDLES}", field="handles"
            )
        handles = [convert.handle_from_wire(handle) for handle in request.handles]
        statuses = await self._observer.statuses(handles)
        if len(statuses) != len(handles):
            raise ProviderFailed(
                f"the plugin was asked for {len(handles)} statuses and gave {len(statuses)}",
                advice="This is a fault in the plugin.",
            )
        return v1.StatusesReply(
            observations=[convert.status_to_wire(status) for status in statuses]
        )

    async def Logs(self, request: v1.LogsRequest, context: object) -> AsyncIterator[v1.LogBatch]:
        """What there is from the cursor on."""
        handle = convert.handle_from_wire(request.handle)
        batches = self._observer.logs(handle, convert.query_from_wire(request))
        async with aclosing(gathered(batches)) as ready:
            async for batch in ready:
                yield convert.batch_to_wire(batch)


class Events(v1_grpc.EventsServicer):
    """A ``JobEventSource`` on the wire."""

    def __init__(self, source: JobEventSource) -> None:
        self._source = source

    async def Watch(self, request: v1.EventsRequest, context: object) -> AsyncIterator[v1.JobEvent]:
        """Ids of handles that changed."""
        handles = [convert.handle_from_wire(handle) for handle in request.handles]
        async for handle_id in self._source.events(handles):
            yield v1.JobEvent(handle_id=handle_id)


class Inventory(v1_grpc.InventoryServicer):
    """A ``JobInventory`` on the wire."""

    def __init__(self, inventory: JobInventory) -> None:
        self._inventory = inventory

    async def List(self, request: v1.ListRequest, context: object) -> v1.ListReply:
        """Every job of ours."""
        jobs = await self._inventory.list_jobs()
        return v1.ListReply(jobs=[convert.listed_to_wire(job) for job in jobs])

    async def Delete(self, request: iac.JobHandle, context: object) -> v1.DeleteReply:
        """A job and what was made for it."""
        await self._inventory.delete(convert.handle_from_wire(request))
        return v1.DeleteReply()

    async def Prune(self, request: v1.PruneRequest, context: object) -> v1.PruneReply:
        """What ended runs left."""
        age = request.older_than_seconds
        if age < 0:
            raise InvalidField(
                f"older_than_seconds is {age}; allowed: 0 or more", field="older_than_seconds"
            )
        leftovers = await self._inventory.prune(dry_run=request.dry_run, older_than_seconds=age)
        return v1.PruneReply(leftovers=[convert.leftover_to_wire(item) for item in leftovers])
