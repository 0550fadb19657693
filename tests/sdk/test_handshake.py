"""The line, what is around it, and the ends of a plugin's process."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import go_plugin_pb2 as go

SCRIPT = Path(__file__).with_name("scripted_plugin.py")


def plain_environment(**more):
    return {k: v for k, v in os.environ.items() if k != "WORKFLOW_PLUGIN"} | more


def run_by_hand(**more):
    return subprocess.run(
        [sys.executable, SCRIPT],
        env=plain_environment(**more),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


async def test_the_line_has_six_parts_and_nothing_else_is_on_stdout(start, short_directory):
    async with start(
        "prints-at-import", PYTHONUNBUFFERED="", PLUGIN_UNIX_SOCKET_DIR=short_directory
    ) as plugin:
        parts = plugin.line.decode().rstrip("\n").split("|")
        assert parts[:3] == ["1", "1", "unix"]
        assert parts[4:] == ["grpc", ""]
        assert Path(parts[3]).parent == Path(short_directory)
        await plugin.submit.Check(v1.CheckRequest())
        code, rest, log = await plugin.shut_down()
        assert (code, rest) == (0, b"")
        assert "printed at import" in log
        assert entries(short_directory) == []


async def test_a_host_that_asks_about_multiplexing_hears_no(start):
    async with start(PLUGIN_MULTIPLEX_GRPC="true") as plugin:
        assert plugin.line.endswith(b"|grpc||false\n")


async def test_without_a_directory_the_plugin_makes_a_private_one_and_removes_it(
    start, spaced_directory
):
    async with start(TMPDIR=spaced_directory) as plugin:
        socket = Path(plugin.line.decode().split("|")[3])
        assert mode(socket.parent) == 0o700
        assert mode(socket) & 0o077 == 0
        assert socket.parent.parent == Path(spaced_directory)
        await plugin.shut_down()
        assert entries(spaced_directory) == []


def test_by_hand_it_says_what_it_is():
    result = run_by_hand()
    assert result.returncode == 1
    assert result.stdout == ""
    assert "is a plugin" in result.stderr
    assert "dayfly run --on scripted" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("offered", ["2", "2,3", "x,9"])
def test_a_host_of_another_protocol_is_refused(offered):
    result = run_by_hand(
        WORKFLOW_PLUGIN="workflow-external-plugin-v1", PLUGIN_PROTOCOL_VERSIONS=offered
    )
    assert result.returncode == 1
    assert "protocol" in result.stderr


@pytest.mark.parametrize("directory", ["/does/not/exist", "relative", "/tmp/" + "x" * 120])
def test_a_socket_directory_that_cannot_be_used_is_named(directory):
    result = run_by_hand(
        WORKFLOW_PLUGIN="workflow-external-plugin-v1", PLUGIN_UNIX_SOCKET_DIR=directory
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert "PLUGIN_UNIX_SOCKET_DIR" in result.stderr
    assert "Traceback" not in result.stderr


async def test_shutdown_is_answered_and_closes_the_plugin(start, tmp_path):
    async with start(CLOSED_FILE=str(tmp_path / "closed")) as plugin:
        code, _, _ = await plugin.shut_down()
        assert code == 0
        assert (tmp_path / "closed").exists()


async def test_open_streams_do_not_hold_up_the_end(start):
    """Calls that do not end have a second; a busy machine may take it otherwise, once or twice."""
    for _ in range(3):
        async with start() as plugin:
            if await seconds_to_end_with_open_streams(plugin) < 0.9:
                return
    pytest.fail("three times it took a second")


async def seconds_to_end_with_open_streams(plugin):
    broker = plugin.channel.stream_stream(
        "/plugin.GRPCBroker/StartStream",
        request_serializer=go.ConnInfo.SerializeToString,
        response_deserializer=go.ConnInfo.FromString,
    )()
    await broker.write(go.ConnInfo(service_id=1, network="unix", address="/nowhere"))
    stdio = plugin.stdio.StreamStdio(go.Empty())
    reading = asyncio.create_task(stdio.read())
    begun = time.monotonic()
    code, _, _ = await plugin.shut_down()
    took = time.monotonic() - begun
    assert code == 0
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    broker.cancel()
    return took


async def test_sigterm_ends_it_and_sigint_does_not(plugin):
    plugin.process.send_signal(signal.SIGINT)
    await plugin.submit.Describe(v1.DescribeRequest())
    plugin.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(plugin.process.wait(), 20) == 0


async def test_it_does_not_outlive_its_host():
    host = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, {str(SCRIPT)!r}], stdout=subprocess.PIPE)\n"
        "p.stdout.readline()\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    cookie = {"WORKFLOW_PLUGIN": "workflow-external-plugin-v1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", host, env=plain_environment(**cookie), stdout=subprocess.PIPE
    )
    plugin = int(await asyncio.wait_for(process.stdout.readline(), 20))
    process.kill()
    await process.communicate()
    async with asyncio.timeout(20):
        while is_running(plugin):  # noqa: ASYNC110 - nothing tells of a stranger's end
            await asyncio.sleep(0.05)


def entries(directory):
    return list(Path(directory).iterdir())


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
