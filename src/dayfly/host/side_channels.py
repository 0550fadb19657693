"""go-plugin's two standing streams: what the plugin prints, and the broker."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty

from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire.go_plugin_pb2_grpc import GRPCBrokerStub, GRPCStdioStub
from dayfly.host.output import LineSplitter

if TYPE_CHECKING:
    from dayfly.host.output import PluginLog

_logger = logging.getLogger(__name__)

_CHANNELS = {go.StdioData.STDOUT: "stdout: ", go.StdioData.STDERR: "stderr: "}


class SideChannels:
    """Opened before anything else is asked: unread, a Go plugin stands still at 68 KiB."""

    def __init__(self, channel: grpc.aio.Channel, log: PluginLog) -> None:
        self._log = log
        self._stdio = GRPCStdioStub(channel).StreamStdio(Empty())
        self._broker = GRPCBrokerStub(channel).StartStream()
        self._tasks = (
            asyncio.create_task(self._drain_stdio(), name="dayfly-stdio"),
            asyncio.create_task(self._drain_broker(), name="dayfly-broker"),
        )

    async def close(self) -> None:
        """Let both go."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._stdio.cancel()
        self._broker.cancel()

    async def _drain_stdio(self) -> None:
        splitters = {
            channel: LineSplitter(self._log, prefix) for channel, prefix in _CHANNELS.items()
        }
        try:
            async for item in self._stdio:
                if splitter := splitters.get(item.channel):
                    splitter.feed(item.data)
        except grpc.aio.AioRpcError as error:
            _logger.debug("the plugin's stdio stream ended: %s", error.code().name)
        finally:
            for splitter in splitters.values():
                splitter.end()

    async def _drain_broker(self) -> None:
        # Kept open because the contract wants it; a plugin that runs jobs offers nothing here.
        try:
            async for info in self._broker:
                _logger.debug("the plugin offers service %d, which is not used", info.service_id)
        except grpc.aio.AioRpcError as error:
            _logger.debug("the plugin's broker stream ended: %s", error.code().name)
