"""A plugin's gRPC server: what it serves is what it announces."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import grpc.aio

from dayfly.contract import names
from dayfly.contract.handshake import SERVER_OPTIONS
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1
from dayfly.contract.wire import go_plugin_pb2_grpc as go
from dayfly.contract.wire import iac_pb2_grpc as iac
from dayfly.contract.wire import plugin_service_pb2_grpc as plugin_wire
from dayfly.sdk import classic, observe
from dayfly.sdk.adapter import RunnerAdapter
from dayfly.sdk.guard import Guard
from dayfly.sdk.infrastructure import Broker, Controller
from dayfly.sdk.loading import PluginService, Required
from dayfly.sdk.on_demand import inspection
from dayfly.sdk.stdio import Stdio
from dayfly.sdk.submit import Submit

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.contract.services import Services
    from dayfly.sdk.ending import Ending
    from dayfly.sdk.plugin import Plugin
    from dayfly.sdk.stdio import PrintedOutput

#: Field of ``Services`` to its servicer and what registers that.
_SERVED: Final[dict[str, tuple[Any, Any]]] = {
    "runner": (classic.Runner, iac.add_IaCProviderRunnerServicer_to_server),
    "canceler": (classic.Canceler, iac.add_IaCProviderJobCancelerServicer_to_server),
    "submitter": (Submit, v1.add_SubmitServicer_to_server),
    "observer": (observe.Observe, v1.add_ObserveServicer_to_server),
    "events": (observe.Events, v1.add_EventsServicer_to_server),
    "inventory": (observe.Inventory, v1.add_InventoryServicer_to_server),
    "regions": (classic.Regions, iac.add_IaCProviderRegionListerServicer_to_server),
    "log_capture": (classic.LogCapture, iac.add_IaCProviderLogCaptureServicer_to_server),
}


def build(plugin: Plugin, ending: Ending, output: PrintedOutput) -> grpc.aio.Server:
    """Assemble the server of a plugin; it does not listen yet."""
    required = Required(plugin)
    guard = Guard(plugin.name, required.initialized)
    server = grpc.aio.server(options=SERVER_OPTIONS, interceptors=(guard,))
    go.add_GRPCControllerServicer_to_server(Controller(ending), server)
    go.add_GRPCBrokerServicer_to_server(Broker(ending), server)
    go.add_GRPCStdioServicer_to_server(Stdio(output), server)
    iac.add_IaCProviderRequiredServicer_to_server(required, server)
    announced = [names.REQUIRED]
    services = with_classic_runner(plugin.services)
    for field, (servicer, register) in _SERVED.items():
        if (capability := getattr(services, field)) is not None:
            register(servicer(capability), server)
            announced.append(names.CAPABILITIES[field])
    plugin_wire.add_PluginServiceServicer_to_server(PluginService(plugin, announced), server)
    listed = [*announced, names.PLUGIN, "plugin.GRPCController", "plugin.GRPCBroker"]
    server.add_generic_rpc_handlers(inspection([*listed, "plugin.GRPCStdio"]))
    return server


def with_classic_runner(services: Services) -> Services:
    """Fill the runner's place from the submitter and the observer, where it is empty."""
    if services.runner or services.submitter is None or services.observer is None:
        return services
    return replace(services, runner=RunnerAdapter(services.submitter, services.observer))


def listen(server: grpc.aio.Server, path: Path) -> None:
    """Open the socket."""
    server.add_insecure_port(f"unix:{quote(str(path))}")
