"""What any gRPC tool may ask a server: is it well, and what does it serve?

Nothing imports this before it is asked; see ``on_demand``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from dayfly.contract.handshake import HEALTH_SERVICE
from dayfly.sdk.on_demand import HEALTH, REFLECTION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_SERVING = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


async def _check(request: health_pb2.HealthCheckRequest, context: Any) -> Any:
    if request.service not in {"", HEALTH_SERVICE}:
        await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {request.service!r}")
    return _SERVING


async def _watch(request: health_pb2.HealthCheckRequest, context: Any) -> AsyncIterator[Any]:
    yield await _check(request, context)
    await asyncio.Event().wait()  # It serves until the connection ends, and so does this.


def health() -> grpc.GenericRpcHandler:
    """``grpc.health.v1.Health``, which hosts ask about the service "plugin"."""
    messages = {
        "request_deserializer": health_pb2.HealthCheckRequest.FromString,
        "response_serializer": health_pb2.HealthCheckResponse.SerializeToString,
    }
    return grpc.method_handlers_generic_handler(
        HEALTH,
        {
            "Check": grpc.unary_unary_rpc_method_handler(_check, **messages),
            "Watch": grpc.unary_stream_rpc_method_handler(_watch, **messages),
        },
    )


def reflected(version: str, services: Sequence[str]) -> grpc.GenericRpcHandler:
    """Reflection; v1 differs from v1alpha by its name alone.

    Args:
        version: "v1" or "v1alpha".
        services: Full names of what is served.
    """
    servicer = reflection.aio.ReflectionServicer(services)
    return grpc.method_handlers_generic_handler(
        REFLECTION.format(version),
        {
            "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
                servicer.ServerReflectionInfo,
                request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
                response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
            )
        },
    )
