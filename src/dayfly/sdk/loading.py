"""What a host asks when it loads a plugin: who it is, what it serves, its configuration."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NoReturn

from dayfly.contract.errors import InvalidField
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import iac_pb2_grpc as iac_grpc
from dayfly.contract.wire import plugin_service_pb2 as loaded
from dayfly.contract.wire import plugin_service_pb2_grpc as loaded_grpc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import grpc.aio
    from google.protobuf.empty_pb2 import Empty

    from dayfly.sdk.plugin import Plugin

    Context = grpc.aio.ServicerContext[Any, Any]


class PluginService(loaded_grpc.PluginServiceServicer):
    """The plugin's manifest and its registry of services."""

    def __init__(self, plugin: Plugin, served: Sequence[str]) -> None:
        self._plugin = plugin
        self._served = served

    async def GetManifest(self, request: Empty, context: Context) -> loaded.Manifest:
        """Who this is."""
        plugin = self._plugin
        return loaded.Manifest(
            name=plugin.name,
            version=plugin.version,
            author=plugin.author,
            description=plugin.description,
        )

    async def GetContractRegistry(
        self, request: Empty, context: Context
    ) -> loaded.ContractRegistry:
        """One descriptor for each service that is registered, and no other."""
        return loaded.ContractRegistry(
            contracts=[
                loaded.ContractDescriptor(
                    kind=loaded.CONTRACT_KIND_SERVICE,
                    service_name=name,
                    mode=loaded.CONTRACT_MODE_STRICT_PROTO,
                )
                for name in self._served
            ]
        )

    async def GetModuleTypes(self, request: Empty, context: Context) -> loaded.TypeList:
        """None: hosts make the module ``iac.provider`` themselves."""
        return loaded.TypeList()

    async def GetStepTypes(self, request: Empty, context: Context) -> loaded.TypeList:
        """None."""
        return loaded.TypeList()

    async def GetTriggerTypes(self, request: Empty, context: Context) -> loaded.TypeList:
        """None."""
        return loaded.TypeList()

    async def GetModuleSchemas(self, request: Empty, context: Context) -> loaded.ModuleSchemaList:
        """None."""
        return loaded.ModuleSchemaList()

    async def GetConfigFragment(
        self, request: Empty, context: Context
    ) -> loaded.ConfigFragmentResponse:
        """None."""
        return loaded.ConfigFragmentResponse()

    async def ConfigureCallback(
        self, request: loaded.ConfigureCallbackRequest, context: Context
    ) -> loaded.ErrorResponse:
        """Hosts call it for triggers only, and there are none."""
        return loaded.ErrorResponse(error="this plugin has no triggers")


class Required(iac_grpc.IaCProviderRequiredServicer):
    """The service that every infrastructure provider has."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._taking = asyncio.Lock()
        self._initialized = False

    def initialized(self) -> bool:
        """A configuration has been taken."""
        return self._initialized

    async def Initialize(
        self, request: iac.InitializeRequest, context: Context
    ) -> iac.InitializeResponse:
        """Take the configuration, one at a time; a later one replaces it."""
        config = read_configuration(request.config_json)
        async with self._taking:
            await self._plugin.initialize(config)
            self._initialized = True
        return iac.InitializeResponse()

    async def Name(self, request: iac.NameRequest, context: Context) -> iac.NameResponse:
        """The plugin's name."""
        return iac.NameResponse(name=self._plugin.name)

    async def Version(self, request: iac.VersionRequest, context: Context) -> iac.VersionResponse:
        """The plugin's version."""
        return iac.VersionResponse(version=self._plugin.version)

    async def Capabilities(
        self, request: iac.CapabilitiesRequest, context: Context
    ) -> iac.CapabilitiesResponse:
        """No resource types: this provider runs jobs. It may be asked before Initialize."""
        return iac.CapabilitiesResponse(compute_plan_version="v2")


def read_configuration(data: bytes) -> dict[str, object]:
    """A configuration; nothing at all is an empty one.

    Raises:
        InvalidField: It is no JSON object. Nothing of it is shown: it may hold secrets.
    """
    try:
        config = json.loads(data or b"{}", parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidField("config_json is not JSON", field="config_json") from None
    if not isinstance(config, dict):
        raise InvalidField("config_json is not a JSON object", field="config_json")
    return config


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # NaN and the infinities are no JSON.
