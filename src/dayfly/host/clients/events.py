"""Events over the wire."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from dayfly.contract import convert, names
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire.dayfly_v1_pb2_grpc import EventsStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import grpc.aio

    from dayfly.contract.jobs import JobHandle
    from dayfly.host.calls import Calls


class EventsClient:
    """``JobEventSource`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = EventsStub(channel)
        self._calls = calls

    async def events(self, handles: Sequence[JobHandle]) -> AsyncIterator[str]:
        """Ids of handles that changed."""
        stream = self._calls.stream(
            self._stub.Watch,
            v1.EventsRequest(handles=[convert.handle_to_wire(handle) for handle in handles]),
            service=names.EVENTS,
            tried="to tell of changes",
        )
        async with aclosing(stream):
            async for event in stream:
                yield event.handle_id
