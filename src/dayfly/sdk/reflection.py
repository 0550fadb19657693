"""Reflection, v1 and v1alpha, imported when a tool such as grpcurl first asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


#: The two versions differ in their name only.
NAMES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


def add_reflection(server: grpc.aio.Server, served: Sequence[str]) -> None:
    """Let tools ask which services there are, and how their messages look."""

    async def answer(
        requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[bytes]:
        # 28 ms of imports that no start of a plugin should wait for.
        from grpc_reflection.v1alpha import reflection_pb2 as messages  # noqa: PLC0415
        from grpc_reflection.v1alpha.reflection import aio  # noqa: PLC0415

        async def read() -> AsyncIterator[Any]:
            async for request in requests:
                yield messages.ServerReflectionRequest.FromString(request)

        servicer = aio.ReflectionServicer((*served, *NAMES))
        async for reply in servicer.ServerReflectionInfo(read(), context):
            yield reply.SerializeToString()

    method: Any = grpc.stream_stream_rpc_method_handler(answer)
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method})
            for name in NAMES
        )
    )
