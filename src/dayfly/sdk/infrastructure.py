"""go-plugin's own services: the controller that stops a plugin, and the broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire.go_plugin_pb2_grpc import GRPCBrokerServicer, GRPCControllerServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from dayfly.sdk.ending import Ending

_NONE: tuple[go.ConnInfo, ...] = ()


class Controller(GRPCControllerServicer):
    """``plugin.GRPCController``: answers first, then stops."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    async def Shutdown(
        self, request: go.Empty, context: grpc.aio.ServicerContext[go.Empty, go.Empty]
    ) -> go.Empty:
        """End the process once the answer is out."""
        context.add_done_callback(self._answered)  # type: ignore[arg-type] # grpc gives the context
        return go.Empty()

    def _answered(self, _context: object) -> None:
        self._ending.begin("Shutdown")


class Broker(GRPCBrokerServicer):
    """``plugin.GRPCBroker``: kept open because hosts open it; nothing is offered on it."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    async def StartStream(
        self, request_iterator: AsyncIterator[go.ConnInfo], context: object
    ) -> AsyncIterator[go.ConnInfo]:
        """Take what the host announces, until either side ends."""
        reading = asyncio.create_task(_exhaust(request_iterator))
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait((reading, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            ending.cancel()
            await asyncio.gather(reading, ending, return_exceptions=True)
        for info in _NONE:
            yield info


async def _exhaust(announcements: AsyncIterator[go.ConnInfo]) -> None:
    async for _ in announcements:
        pass
