"""A plugin's server: exactly the services that it has, and the handshake before them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import grpc.aio
from grpc_health.v1 import health_pb2_grpc

from dayfly.contract import names
from dayfly.contract.errors import DayflyError
from dayfly.contract.handshake import CHANNEL_OPTIONS
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1
from dayfly.contract.wire import go_plugin_pb2_grpc as go
from dayfly.contract.wire import iac_pb2_grpc as iac
from dayfly.contract.wire import plugin_service_pb2_grpc as loaded
from dayfly.sdk import classic, handshake, observe
from dayfly.sdk.adapter import RunnerAdapter
from dayfly.sdk.infrastructure import Broker, Controller, Health
from dayfly.sdk.loading import PluginService, Required
from dayfly.sdk.log import log_to, logger
from dayfly.sdk.parent import die_with_parent, parent_gone
from dayfly.sdk.reflection import add_reflection
from dayfly.sdk.stdio import Stdio
from dayfly.sdk.submit import Submit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dayfly.sdk.plugin import Plugin

#: How long calls may go on after Shutdown. A Go host waits 2 s in all.
_GRACE_SECONDS = 1.0

_CAPABILITIES: dict[str, tuple[Callable[[Any], Any], Callable[[Any, grpc.aio.Server], None]]] = {
    "runner": (classic.Runner, iac.add_IaCProviderRunnerServicer_to_server),
    "canceler": (classic.Canceler, iac.add_IaCProviderJobCancelerServicer_to_server),
    "regions": (classic.Regions, iac.add_IaCProviderRegionListerServicer_to_server),
    "log_capture": (classic.LogCapture, iac.add_IaCProviderLogCaptureServicer_to_server),
    "submitter": (Submit, v1.add_SubmitServicer_to_server),
    "observer": (observe.Observe, v1.add_ObserveServicer_to_server),
    "events": (observe.Events, v1.add_EventsServicer_to_server),
    "inventory": (observe.Inventory, v1.add_InventoryServicer_to_server),
}


def serve(plugin: Plugin) -> None:
    """Serve a plugin until its host is done with it. Call it from ``__main__``, once.

    Exits with 1 and a sentence on stderr where no host started this process.
    """
    real = handshake.take_standard_streams()
    try:
        handshake.check_cookie(plugin.name)
        handshake.check_version()
        path = handshake.socket_path()
    except DayflyError as error:
        sys.exit(str(error))
    die_with_parent()
    os.umask(0o077)
    # Ctrl-C is the host's to handle, which shares the terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to(open(real.stderr, "w", buffering=1, encoding="utf-8", errors="backslashreplace"))  # noqa: SIM115, PTH123 - for as long as the process lives
    asyncio.run(_serve(plugin, real, path))


async def _serve(plugin: Plugin, real: handshake.Standard, path: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = grpc.aio.server(options=CHANNEL_OPTIONS)
    stdio = Stdio()
    served = register(server, plugin, stop, stdio)
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    handshake.announce(real, path)
    stdio.redirect()
    logger.debug("serving %s on %s", ", ".join(served), path)
    watching = asyncio.create_task(parent_gone(stop))
    try:
        await stop.wait()
        stdio.close()
        await server.stop(_GRACE_SECONDS)
        if plugin.close is not None:
            await plugin.close()
    finally:
        watching.cancel()


def register(
    server: grpc.aio.Server, plugin: Plugin, stop: asyncio.Event, stdio: Stdio
) -> list[str]:
    """Add the plugin's services, and return the full names of those it announces."""
    capabilities: dict[str, Any] = {
        field: capability
        for field in names.CAPABILITIES
        if (capability := getattr(plugin, field)) is not None
    }
    if plugin.runner is None and plugin.submitter and plugin.observer:
        capabilities["runner"] = RunnerAdapter(plugin.submitter, plugin.observer)
    for field, capability in capabilities.items():
        servicer, add = _CAPABILITIES[field]
        add(servicer(capability), server)
    served = [names.REQUIRED, *(names.CAPABILITIES[field] for field in capabilities)]
    health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
    go.add_GRPCBrokerServicer_to_server(Broker(stop), server)
    go.add_GRPCControllerServicer_to_server(Controller(stop), server)
    go.add_GRPCStdioServicer_to_server(stdio, server)
    loaded.add_PluginServiceServicer_to_server(PluginService(plugin, served), server)
    iac.add_IaCProviderRequiredServicer_to_server(Required(plugin), server)
    add_reflection(server, [names.PLUGIN, *served])
    return served
