"""Hostile callers at an agent and a hostile agent at our client: TLS on both, no engine."""

from __future__ import annotations

import asyncio
import logging
import ssl
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
import grpc.aio
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.jobs.scripted import Scripted
from tests.sandbox.places import ABLE, places

from dayfly.cli.agent_log import OneLine, holds_no_header
from dayfly.contract.errors import ProviderFailed, Unavailable
from dayfly.contract.jobs import JobState, Reason
from dayfly.contract.wire import sandbox_pb2 as wire
from dayfly.contract.wire.sandbox_pb2_grpc import SandboxExecServiceStub
from dayfly.sandbox import RemoteRunner, Sandbox
from dayfly.sandbox.agent.policy import Policy
from dayfly.sandbox.agent.server import Setup, serve
from dayfly.sandbox.wire import SERVICE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

TOKEN = "0123456789abcdef0123456789abcdef"
KNOWN = (("authorization", f"Bearer {TOKEN}"),)
ASKED = wire.SandboxExecRequest(image="ci/a:1", command=["x"])


class Reached(NamedTuple):
    """An agent: a channel to it, and its address."""

    channel: grpc.aio.Channel
    address: str


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture
def provider() -> Scripted:
    return Scripted(ABLE)


@asynccontextmanager
async def agent(ca: trustme.CA, provider: Scripted, **settings: Any) -> AsyncIterator[Reached]:
    """A way to an agent over this provider."""
    own = ca.issue_cert("127.0.0.1")
    setup = Setup(
        name="a",
        listen="127.0.0.1:0",
        token=TOKEN,
        cert=b"".join(pem.bytes() for pem in own.cert_chain_pems),
        key=own.private_key_pem.bytes(),
        policy=Policy(images=("ci/*",)),
        grace_seconds=0,
        **settings,
    )
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with places(docker=provider.services())("docker") as reached:
        await reached.jobs.describe()
        serving = asyncio.create_task(serve(setup, reached, stop, ready.set_result))
        try:
            credentials = grpc.ssl_channel_credentials(ca.cert_pem.bytes())
            address = f"127.0.0.1:{await ready}"
            async with grpc.aio.secure_channel(address, credentials) as channel:
                yield Reached(channel, address)
        finally:
            stop.set()
            await serving


@pytest.mark.parametrize(("metadata", "code"), [((), "UNAUTHENTICATED"), (KNOWN, "THROTTLED")])
async def test_who_is_turned_away_is_so_before_a_request_is_read(ca, provider, metadata, code):
    """Requests of many callers at once are no small thing to keep."""
    async with agent(ca, provider, at_once=1) as (channel, _), asyncio.timeout(10):
        running = SandboxExecServiceStub(channel).Exec(ASKED, metadata=KNOWN)
        await provider.called("logs")
        sends_nothing = channel.stream_stream(f"/{SERVICE}/Exec")(metadata=metadata)
        expected = {"THROTTLED": grpc.StatusCode.RESOURCE_EXHAUSTED}.get(code)
        assert await sends_nothing.code() is (expected or grpc.StatusCode.UNAUTHENTICATED)
        running.cancel()


async def test_a_call_without_a_request_is_none(ca, provider):
    async with agent(ca, provider) as (channel, _), asyncio.timeout(10):
        empty = channel.stream_stream(f"/{SERVICE}/Exec")(metadata=KNOWN)
        await empty.done_writing()
        assert await empty.code() is grpc.StatusCode.INVALID_ARGUMENT
        garbage = channel.unary_stream(f"/{SERVICE}/Exec")(b"\xff" * 9, metadata=KNOWN)
        assert await garbage.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_who_reads_nothing_does_not_keep_a_place_for_ever(ca, provider):
    provider.on_submit = lambda job: [job.prints(bytes(1 << 20)) for _ in range(64)]
    async with (
        agent(ca, provider, at_once=1, unread_seconds=0.2) as (channel, _),
        asyncio.timeout(20),
    ):
        stalled = SandboxExecServiceStub(channel).Exec(ASKED, metadata=KNOWN)
        await stalled.read()
        await provider.called("delete")
        assert provider.calls["cancel_job"] == 1
        provider.on_submit = lambda job: job.ends(0)
        chunks = [chunk async for chunk in SandboxExecServiceStub(channel).Exec(
            ASKED, metadata=KNOWN)]  # fmt: skip
        assert chunks[-1].exit_code == 0
        stalled.cancel()


async def test_health_is_told_to_anybody_and_watched_by_those_with_the_token(ca, provider):
    """A watch lasts: anybody could begin any number of them."""
    asked = health_pb2.HealthCheckRequest(service=SERVICE)
    async with agent(ca, provider) as (channel, _), asyncio.timeout(10):
        stub = health_pb2_grpc.HealthStub(channel)
        assert (await stub.Check(asked)).status == health_pb2.HealthCheckResponse.SERVING
        assert await stub.Watch(asked).code() is grpc.StatusCode.UNAUTHENTICATED
        watch = stub.Watch(asked, metadata=KNOWN)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


async def test_the_agents_log_holds_no_value_and_no_word_of_a_command(ca, provider, caplog):
    caplog.set_level("INFO", logger="dayfly.agent")
    canary = "canary-of-a-value"
    async with agent(ca, provider) as (channel, _), asyncio.timeout(10):
        for fields in (
            {"command": ["x", f"{canary}\0"]},
            {"command": ["x"], "env": {"A": f"{canary}\0"}},
            {"command": ["x"], "env": {"A": canary + "x" * 200_000}},
        ):
            request = wire.SandboxExecRequest(image="ci/a:1", **fields)
            call = SandboxExecServiceStub(channel).Exec(request, metadata=KNOWN)
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
            if "env" in fields:
                assert canary not in await call.details()
    assert "env.A" in caplog.text
    assert canary not in caplog.text


def reaching(ca: trustme.CA, tmp_path: Path, address: str, **more: Any) -> Sandbox:
    """A sandbox with the runner ``remote``."""
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "token").write_text(TOKEN)
    token = f"file:{tmp_path / 'token'}"
    runner = RemoteRunner(
        name="remote", address=address, token=token, ca=str(tmp_path / "ca.pem"), **more
    )
    return Sandbox(places(), runners={"remote": runner})


@asynccontextmanager
async def lying(
    ca: trustme.CA, tmp_path: Path, chunks: list[bytes], trailer: tuple[tuple[str, Any], ...]
) -> AsyncIterator[Sandbox]:
    """A sandbox whose runner ``remote`` is an agent that says this."""

    async def say(request: bytes, context: Any) -> None:
        context.set_trailing_metadata(trailer)
        for chunk in chunks:
            await context.write(chunk)

    own = ca.issue_cert("127.0.0.1")
    chain = b"".join(pem.bytes() for pem in own.cert_chain_pems)
    server = grpc.aio.server()
    handler = grpc.unary_stream_rpc_method_handler(say)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, {"Exec": handler}),)
    )
    credentials = grpc.ssl_server_credentials([(own.private_key_pem.bytes(), chain)])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    await server.start()
    try:
        yield reaching(ca, tmp_path, f"127.0.0.1:{port}")
    finally:
        await server.stop(0)


def code(number: int) -> bytes:
    return wire.SandboxExecChunk(exit_code=number).SerializeToString()


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        (7, "SUCCEEDED", "COMPLETED"),
        (0, "FAILED", "COMPLETED"),
        (0, "FAILED", "EXITED_NONZERO"),
        (0, "SUCCEEDED", "EXITED_NONZERO"),
        (0, "RUNNING", "COMPLETED"),
        (None, "SUCCEEDED", "OUT_OF_MEMORY"),
    ],
)
async def test_an_agent_that_contradicts_itself_leaves_the_end_unknown(
    ca, tmp_path, number, state, reason
):
    chunks = [] if number is None else [code(number)]
    trailer = (("dayfly-state", state), ("dayfly-reason", reason))
    async with lying(ca, tmp_path, chunks, trailer) as sandbox:
        result = await sandbox.exec(["x"], exec_env="remote", timeout_seconds=10)
    assert (result.state, result.reason) == (JobState.UNKNOWN, Reason.PROVIDER_ERROR)
    assert result.exit_code is None
    assert state in result.message


async def test_an_agent_that_sends_garbage_is_named(ca, tmp_path):
    async with lying(ca, tmp_path, [b"\xff" * 9], ()) as sandbox:
        with pytest.raises(ProviderFailed, match="runner 'remote' sent"):
            await sandbox.exec(["x"], exec_env="remote", timeout_seconds=10)


async def test_what_an_agent_says_of_an_end_is_one_line(ca, tmp_path):
    said = (("dayfly-message-bin", b"a\n\n b\r\xff"), ("dayfly-note-bin", b"c\nd"))
    async with lying(ca, tmp_path, [code(0)], said) as sandbox:
        result = await sandbox.exec(["x"], exec_env="remote", timeout_seconds=10)
    assert (result.message, result.notes) == ("a b \ufffd", ("c d",))


def test_a_record_of_the_log_is_one_line_that_steers_nothing():
    sent = "\x1b[2J\u202ex\n2026-01-01 INFO forged"
    record = logging.LogRecord("dayfly.agent", logging.INFO, "", 0, "%s ended", (sent,), None)
    assert (
        OneLine("%(message)s").format(record) == "\\x1b[2J\\u202ex\\n2026-01-01 INFO forged ended"
    )


def http2(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


async def test_a_token_with_a_stray_byte_behind_it_is_not_in_the_log(ca, provider, caplog):
    """gRPC itself logs a header that is no UTF-8; its own clients send none."""
    caplog.handler.addFilter(holds_no_header)
    headers = {
        b":method": b"POST", b":scheme": b"https", b":path": f"/{SERVICE}/Exec".encode(),
        b":authority": b"a", b"content-type": b"application/grpc", b"te": b"trailers",
        b"authorization": f"Bearer {TOKEN}".encode() + b"\xff",
    }  # fmt: skip
    block = b"".join(
        bytes((0, len(name))) + name + bytes((len(value),)) + value
        for name, value in headers.items()
    )
    tls = ssl.create_default_context(cadata=ca.cert_pem.bytes().decode())
    tls.set_alpn_protocols(["h2"])
    async with agent(ca, provider) as (_, address), asyncio.timeout(10):
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2(4, 0, 0, b""))
        writer.write(http2(1, 5, 1, block))
        await reader.readuntil(b"token is missing or wrong")
        writer.close()
    assert TOKEN not in caplog.text


@asynccontextmanager
async def relayed(address: str, silence: asyncio.Event) -> AsyncIterator[str]:
    """An address that leads to another, until silence: then nothing goes either way."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not silence.is_set():
                writer.write(data)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(*address.split(":"))
        await asyncio.wait(
            {
                asyncio.ensure_future(copy(reader, there[1])),
                asyncio.ensure_future(copy(there[0], writer)),
            }
        )
        writer.close()
        there[1].close()

    async with await asyncio.start_server(connected, "127.0.0.1") as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def test_a_network_that_goes_silent_is_noticed(ca, provider, tmp_path):
    """No packet comes any more, and none is refused: as behind a router that lost power."""
    silence = asyncio.Event()
    async with agent(ca, provider) as (_, address), relayed(address, silence) as between:
        sandbox = reaching(ca, tmp_path, between, keepalive_seconds=1)
        running = asyncio.create_task(sandbox.exec(["x"], exec_env="remote", image="ci/a:1"))
        await provider.called("logs")
        silence.set()
        with pytest.raises(Unavailable, match="runner 'remote'"):
            await asyncio.wait_for(running, 30)
