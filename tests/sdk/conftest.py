"""Starts the scripted plugin as a host does, and speaks to it with the generated stubs alone."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest
from tests.no_time import NoTime

from dayfly.contract.handshake import CHANNEL_OPTIONS
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1_grpc
from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire import go_plugin_pb2_grpc as go_grpc
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import iac_pb2_grpc as iac_grpc
from dayfly.contract.wire import plugin_service_pb2_grpc as plugin_grpc

#: Without a process or a socket: what is waited for there takes no time.
TIMELESS = {"test_gathering", "test_pacing"}
SCRIPT = Path(__file__).with_name("scripted_plugin.py")
COOKIE = {
    "WORKFLOW_PLUGIN": "workflow-external-plugin-v1",
    "PLUGIN_MIN_PORT": "10000",
    "PLUGIN_MAX_PORT": "25000",
    "PLUGIN_PROTOCOL_VERSIONS": "1",
}


def pytest_asyncio_loop_factories(config, item):
    return {"loop": NoTime if item.path.stem in TIMELESS else asyncio.new_event_loop}


class Running:
    """A plugin that has said where it listens."""

    def __init__(self, process, line, channel):
        self.process = process
        self.line = line
        self.channel = channel
        self.plugin = plugin_grpc.PluginServiceStub(channel)
        self.required = iac_grpc.IaCProviderRequiredStub(channel)
        self.runner = iac_grpc.IaCProviderRunnerStub(channel)
        self.submit = v1_grpc.SubmitStub(channel)
        self.observe = v1_grpc.ObserveStub(channel)
        self.inventory = v1_grpc.InventoryStub(channel)
        self.events = v1_grpc.EventsStub(channel)
        self.stdio = go_grpc.GRPCStdioStub(channel)
        self.controller = go_grpc.GRPCControllerStub(channel)

    async def initialize(self, config=b"{}"):
        await self.required.Initialize(iac.InitializeRequest(config_json=config))

    async def shut_down(self):
        """Ask it to end; gives its exit code, what was left on stdout, and its log."""
        await self.controller.Shutdown(go.Empty())
        stdout, stderr = await asyncio.wait_for(self.process.communicate(), 10)
        return self.process.returncode, stdout, stderr.decode()


def environment(**more):
    return {**os.environ, **COOKIE, **more}


async def spawn(*modes, env):
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(SCRIPT),
        *modes,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(*modes, initialized=True, **more):
    process = await spawn(*modes, env=environment(**more))
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        address = "unix:" + line.decode().split("|")[3].replace(" ", "%20")
        async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
            plugin = Running(process, line, channel)
            if initialized:
                await plugin.initialize()
            yield plugin
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def plugin(short_directory):
    async with running(PLUGIN_UNIX_SOCKET_DIR=short_directory) as started:
        yield started


@pytest.fixture
def start():
    return running


@pytest.fixture
def short_directory():
    """pytest's own directories have paths too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="d", dir="/tmp") as directory:
        yield directory


@pytest.fixture
def spaced_directory(short_directory):
    path = Path(short_directory, "with space")
    path.mkdir()
    return str(path)
