"""Regions over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract import names
from dayfly.contract.provider import Region
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire.iac_pb2_grpc import IaCProviderRegionListerStub

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc.aio

    from dayfly.host.calls import Calls


class RegionsClient:
    """``RegionLister`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = IaCProviderRegionListerStub(channel)
        self._calls = calls

    async def list_regions(self, env_name: str) -> Sequence[Region]:
        """Regions on offer for an environment."""
        reply = await self._calls.unary(
            self._stub.ListRegions,
            iac.ListRegionsRequest(env_name=env_name),
            service=names.REGION_LISTER,
            tried="for its regions",
        )
        return [Region(name=r.name, display_name=r.display_name) for r in reply.regions]
