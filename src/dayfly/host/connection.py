"""A conversation with a plugin's process, from its handshake to its end."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty

from dayfly.contract import names
from dayfly.contract.errors import InvalidField, NotServed
from dayfly.contract.groups import together
from dayfly.contract.handshake import CHANNEL_OPTIONS
from dayfly.contract.services import Services
from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import plugin_service_pb2 as plugin_pb
from dayfly.contract.wire.go_plugin_pb2_grpc import GRPCControllerStub
from dayfly.contract.wire.iac_pb2_grpc import IaCProviderRequiredStub
from dayfly.contract.wire.plugin_service_pb2_grpc import PluginServiceStub
from dayfly.host.calls import Calls
from dayfly.host.clients.canceler import CancelerClient
from dayfly.host.clients.events import EventsClient
from dayfly.host.clients.inventory import InventoryClient
from dayfly.host.clients.log_capture import LogCaptureClient
from dayfly.host.clients.observer import ObserverClient
from dayfly.host.clients.regions import RegionsClient
from dayfly.host.clients.runner import RunnerClient
from dayfly.host.clients.submitter import SubmitterClient
from dayfly.host.deadlines import DEFAULTS
from dayfly.host.side_channels import SideChannels
from dayfly.host.watch import ProcessWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from dayfly.host.deadlines import Deadlines
    from dayfly.host.manifests import Manifest
    from dayfly.host.process import PluginProcess


class PluginConnection:
    """A plugin that has been loaded and configured.

    Attributes:
        name: What it calls itself.
        version: ``X.Y.Z``.
        manifest: Its plugin.json.
        advertised: Full names of the services that its contract registry lists.
        channel: To its socket, for calls that have no client here.
        pid: Of its process, and of its process group.
    """

    def __init__(self, process: PluginProcess, channel: grpc.aio.Channel, calls: Calls) -> None:
        self.manifest: Manifest = process.plugin.manifest
        self.name = self.manifest.name
        self.version = self.manifest.version
        self.advertised: frozenset[str] = frozenset()
        self.channel = channel
        self.pid = process.pid
        self._calls = calls
        self._clients = {
            names.RUNNER: RunnerClient(channel, calls),
            names.CANCELER: CancelerClient(channel, calls),
            names.SUBMIT: SubmitterClient(channel, calls),
            names.OBSERVE: ObserverClient(channel, calls),
            names.EVENTS: EventsClient(channel, calls),
            names.INVENTORY: InventoryClient(channel, calls),
            names.REGION_LISTER: RegionsClient(channel, calls),
            names.LOG_CAPTURE: LogCaptureClient(channel, calls),
        }

    @property
    def alive(self) -> bool:
        """Its process has not ended."""
        return self._calls.alive

    @property
    def services(self) -> Services:
        """What it serves; None for what it does not announce, or turned out to lack."""
        return Services(
            **{
                field: self._clients[service]
                for field, service in names.CAPABILITIES.items()
                if service in self.advertised and not self._calls.absent(service)
            }  # type: ignore[arg-type]
        )

    async def load(self, config: Mapping[str, object]) -> None:
        """Ask who it is and what it serves, and configure it, all at once."""
        # Where several fail, any one of them says enough.
        await together([self._read_manifest(), self._read_registry(), self._initialize(config)])

    async def _read_manifest(self) -> None:
        with suppress(NotServed):  # Then plugin.json speaks for it.
            manifest = await self._calls.unary(
                PluginServiceStub(self.channel).GetManifest,
                Empty(),
                service=f"{names.PLUGIN}/GetManifest",
                tried="for its manifest",
                seconds=self._calls.deadlines.load,
            )
            if manifest.version:
                self.name = manifest.name or self.name
                self.version = manifest.version

    async def _read_registry(self) -> None:
        with suppress(NotServed):  # Then it announces nothing.
            registry = await self._calls.unary(
                PluginServiceStub(self.channel).GetContractRegistry,
                Empty(),
                service=f"{names.PLUGIN}/GetContractRegistry",
                tried="which services it has",
                seconds=self._calls.deadlines.load,
            )
            self.advertised = frozenset(
                contract.service_name
                for contract in registry.contracts
                if contract.kind == plugin_pb.CONTRACT_KIND_SERVICE
            )

    async def _initialize(self, config: Mapping[str, object]) -> None:
        await self._calls.unary(
            IaCProviderRequiredStub(self.channel).Initialize,
            iac.InitializeRequest(config_json=_as_json(config)),
            service=names.REQUIRED,
            tried="to take its configuration",
            seconds=self._calls.deadlines.load,
        )


@asynccontextmanager
async def connect(
    process: PluginProcess,
    *,
    config: Mapping[str, object] | None = None,
    deadlines: Deadlines = DEFAULTS,
) -> AsyncIterator[PluginConnection]:
    """Shake hands with a spawned plugin, load it, configure it; stop it at the end.

    One that ran before is left running.

    Args:
        process: From ``spawn``; it ends with this context, whatever happens in it.
        config: What the plugin is initialized with, as JSON.
        deadlines: How long it is waited for.

    Raises:
        ProviderFailed: It did not start as a plugin does, or ended; with its last output.
        InvalidField: Its configuration is wrong, naming the field.
        DayflyError: Whatever else it answers while it is loaded.
    """
    watch = ProcessWatch(process)
    try:
        await watch.start()
        line = await watch.handshake(deadlines.start)
        calls = Calls(watch, deadlines)
        async with _dialled(line.path) as channel:
            side_channels = SideChannels(channel, watch.log)
            try:
                plugin = PluginConnection(process, channel, calls)
                await plugin.load(config or {})
                yield plugin
            finally:
                try:
                    if process.ours:
                        await _stop(channel, watch, deadlines.stop)
                finally:
                    await side_channels.close()
    finally:
        watch.close()


@asynccontextmanager
async def _dialled(path: str) -> AsyncIterator[grpc.aio.Channel]:
    options = (
        *CHANNEL_OPTIONS,
        ("grpc.enable_http_proxy", 0),
        ("grpc.default_authority", "localhost"),
    )
    async with grpc.aio.insecure_channel(f"unix:{quote(path)}", options=options) as channel:
        yield channel


async def _stop(channel: grpc.aio.Channel, watch: ProcessWatch, seconds: float) -> None:
    if watch.exited.is_set():
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            # A Go plugin answers by stopping, so an error is as good as an answer.
            with suppress(grpc.aio.AioRpcError):
                await GRPCControllerStub(channel).Shutdown(go.Empty())
            await watch.exited.wait()


def _as_json(config: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(dict(config), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidField(
            f"the configuration cannot be sent as JSON: {error}", field="config"
        ) from error
