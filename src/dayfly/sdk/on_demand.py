"""Services that are imported when they are first asked for, so that no start pays for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HEALTH: Final = "grpc.health.v1.Health"
REFLECTION: Final = "grpc.reflection.{}.ServerReflection"


class OnDemand(grpc.GenericRpcHandler):
    """Stands for one service until a call for it comes."""

    def __init__(self, service: str, load: Callable[[], grpc.GenericRpcHandler]) -> None:
        self._prefix = f"/{service}/"
        self._load = load
        self._loaded: grpc.GenericRpcHandler | None = None

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The method's handler, or None where it is another service's."""
        if not handler_call_details.method.startswith(self._prefix):
            return None
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded.service(handler_call_details)


def inspection(services: Sequence[str]) -> tuple[OnDemand, ...]:
    """Health and both reflections of a server.

    Args:
        services: Full names of what else it serves.
    """
    reflections = [REFLECTION.format(version) for version in ("v1", "v1alpha")]
    listed = [*services, HEALTH, *reflections]

    def health() -> grpc.GenericRpcHandler:
        from dayfly.sdk import inspection  # noqa: PLC0415 - on demand

        return inspection.health()

    def reflected(version: str) -> Callable[[], grpc.GenericRpcHandler]:
        def load() -> grpc.GenericRpcHandler:
            from dayfly.sdk import inspection  # noqa: PLC0415 - on demand

            return inspection.reflected(version, listed)

        return load

    return (
        OnDemand(HEALTH, health),
        OnDemand(REFLECTION.format("v1"), reflected("v1")),
        OnDemand(REFLECTION.format("v1alpha"), reflected("v1alpha")),
    )
