"""The services of go-plugin that every plugin serves: controller, broker, health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dayfly.contract.handshake import HEALTH_SERVICE
from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire import go_plugin_pb2_grpc as go_grpc

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator


class Controller(go_grpc.GRPCControllerServicer):
    """Answers Shutdown first, and stops then."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    async def Shutdown(
        self,
        request: go.Empty,
        context: grpc.aio.ServicerContext[go.Empty, go.Empty],
    ) -> go.Empty:
        """Ask the plugin to stop."""
        self._stop.set()
        return go.Empty()


class Broker(go_grpc.GRPCBrokerServicer):
    """Holds the host's stream open. A provider of jobs needs no socket beyond its own."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    async def StartStream(
        self,
        request_iterator: AsyncIterator[go.ConnInfo],
        context: grpc.aio.ServicerContext[go.ConnInfo, go.ConnInfo],
    ) -> AsyncIterator[go.ConnInfo]:
        """Stay open until the plugin stops. What a host announces here, nobody dials."""
        await self._stop.wait()
        return
        yield  # what makes this a stream


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc] # it has no types
    """Says SERVING for the service that a go-plugin host asks about."""

    async def Check(
        self,
        request: health_pb2.HealthCheckRequest,
        context: grpc.aio.ServicerContext[
            health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
        ],
    ) -> health_pb2.HealthCheckResponse:
        """SERVING, for the plugin and for the server as a whole."""
        if request.service not in {"", HEALTH_SERVICE}:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no service {request.service!r} here")
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)
