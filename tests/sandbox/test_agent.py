"""An agent over its wire: who it listens to, what it gives, how it ends."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.sandbox.conftest import containers_of
from tests.sandbox.remote_agent import DAYFLY, TOKEN, running_agent

from dayfly.contract.errors import (
    DayflyError,
    InvalidField,
    PermissionDenied,
    ProviderFailed,
    Stopped,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from dayfly.contract.jobs import JobState, Reason
from dayfly.contract.wire import sandbox_pb2 as wire
from dayfly.contract.wire.sandbox_pb2_grpc import SandboxExecServiceStub
from dayfly.sandbox.wire import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.remote_agent import Agent

pytestmark = pytest.mark.docker

ENDLESS = ["sh", "-c", "echo begun; trap 'exit 9' TERM; while :; do sleep 0.1; done"]


@contextmanager
def channel_to(agent: Agent) -> Iterator[grpc.Channel]:
    """As a client that knows nothing but the proto and the certificate."""
    credentials = grpc.ssl_channel_credentials(Path(agent.runner.ca).read_bytes())
    with grpc.secure_channel(agent.runner.address, credentials) as channel:
        yield channel


def call(agent: Agent, *, token: str | None = TOKEN, **fields: Any) -> list[Any]:
    """All chunks of one call."""
    with channel_to(agent) as channel:
        metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        request = wire.SandboxExecRequest(**fields)
        return list(SandboxExecServiceStub(channel).Exec(request, timeout=30, metadata=metadata))


async def emptied(image: str) -> None:
    async with asyncio.timeout(30):
        while await asyncio.to_thread(containers_of, image):  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.1)


def test_it_is_in_a_network_of_its_own(agent):
    if not agent.network.within:
        pytest.skip("this machine allows no network namespaces")
    ours, theirs = (Path(f"/proc/{pid}/ns/net").readlink() for pid in ("self", agent.process.pid))
    assert ours != theirs


def test_a_client_of_the_go_project_sees_chunks_and_one_code_at_the_end(agent, image):
    chunks = call(agent, image=image, command=["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert b"".join(chunk.stdout for chunk in chunks) == b"out\n"
    assert b"".join(chunk.stderr for chunk in chunks) == b"err\n"
    assert [chunk.WhichOneof("payload") for chunk in chunks].index("exit_code") == len(chunks) - 1
    assert chunks[-1].exit_code == 3


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN[:-1], TOKEN + "0"])
def test_who_does_not_have_the_token_is_turned_away(agent, image, token):
    with pytest.raises(grpc.RpcError) as refused:
        call(agent, token=token, image=image, command=["true"])
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert TOKEN not in str(refused.value)


async def test_our_client_says_what_is_wrong_with_the_way_there(
    agent, image, sandbox_with, tmp_path, monkeypatch
):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    monkeypatch.setenv("WRONG_TOKEN", "wrong")
    for changes, kind, look in (
        ({"token": "env:WRONG_TOKEN"}, Unauthenticated, "runners.remote.token"),
        ({"ca": str(tmp_path / "other.pem")}, Unavailable, "runners.remote.ca"),
        ({"ca": ""}, Unavailable, "runners.remote.ca"),
        ({"server_name": "somebody.else"}, Unavailable, "runners.remote.ca"),
        ({"address": f"{agent.network.host}:1"}, Unavailable, "an agent listens there"),
    ):
        sandbox = sandbox_with(agent.as_runners(**changes))
        with pytest.raises(DayflyError) as refused:
            await sandbox.exec(["true"], exec_env="remote", image=image, timeout_seconds=20)
        assert type(refused.value) is kind
        assert "runner 'remote'" in refused.value.message
        assert look in refused.value.advice


def test_without_tls_nobody_gets_through(agent):
    with (
        grpc.insecure_channel(agent.runner.address) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        list(SandboxExecServiceStub(channel).Exec(wire.SandboxExecRequest(), timeout=10))
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_its_health_is_told_without_a_token(agent):
    with channel_to(agent) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_profile_is_clamped_and_that_is_said(agent, image, sandbox_with):
    sandbox = sandbox_with(agent.as_runners())
    argv = ["grep", "NoNewPrivs", "/proc/self/status"]
    result = await sandbox.exec(argv, exec_env="remote", image=image, profile="permissive")
    assert (result.profile, result.stdout) == ("standard", b"NoNewPrivs:\t1\n")
    assert result.notes == ("runner 'remote' ran it as 'standard', not as 'permissive'",)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"image": "alpine"}, PermissionDenied),
        ({"env": {"A": "secret://prod/token"}}, PermissionDenied),
        ({"env": {"A=B": "x"}}, InvalidField),
        ({"working_dir": "a\0b"}, InvalidField),
    ],
)
async def test_what_the_policy_refuses_is_told_with_its_reason(
    agent, image, sandbox_with, fields, kind
):
    sandbox = sandbox_with(agent.as_runners())
    with pytest.raises(kind) as refused:
        await sandbox.exec(["true"], exec_env="remote", **({"image": image} | fields))
    assert refused.value.field


async def test_the_reason_comes_with_the_code(agent, image, sandbox_with):
    sandbox = sandbox_with(agent.as_runners())
    result = await sandbox.exec(["tail", "/dev/zero"], exec_env="remote", image=image)
    assert (result.exit_code, result.reason) == (137, Reason.OUT_OF_MEMORY)
    assert result.state is JobState.FAILED


async def test_the_command_ends_with_the_call(agent, image):
    def broken_off() -> None:
        with channel_to(agent) as channel:
            request = wire.SandboxExecRequest(image=image, command=ENDLESS)
            metadata = (("authorization", f"Bearer {TOKEN}"),)
            chunks = SandboxExecServiceStub(channel).Exec(request, timeout=30, metadata=metadata)
            assert next(iter(chunks)).stdout == b"begun\n"
            assert containers_of(image)

    await asyncio.to_thread(broken_off)
    await emptied(image)


async def test_a_stop_lets_commands_end_and_stops_those_that_do_not(
    image, network, sandbox_with, tmp_path
):
    with running_agent(tmp_path / "a", network, "--grace", "3") as agent:
        sandbox = sandbox_with(agent.as_runners())
        short = asyncio.create_task(
            sandbox.exec(["sh", "-c", "sleep 2; echo ended"], exec_env="remote", image=image)
        )
        async with sandbox.stream(ENDLESS, exec_env="remote", image=image) as long:
            outputs = aiter(long)
            assert (await anext(outputs)).data == b"begun\n"
            agent.process.send_signal(signal.SIGTERM)
            assert (await short).stdout == b"ended\n"
            with pytest.raises((Unavailable, Stopped)):
                await anext(outputs)
        assert await asyncio.to_thread(agent.process.wait, 30) == 0
    assert containers_of(image) == []


async def test_an_agent_that_is_gone_is_no_success(image, network, sandbox_with, tmp_path):
    """Its next life stops what it left, and nothing of other agents."""
    name = uuid.uuid4().hex
    with running_agent(tmp_path / "a", network, "--name", name) as agent:
        sandbox = sandbox_with(agent.as_runners())
        async with sandbox.stream(ENDLESS, exec_env="remote", image=image) as running:
            outputs = aiter(running)
            assert (await anext(outputs)).data == b"begun\n"
            agent.process.kill()
            with pytest.raises((Unavailable, ProviderFailed)):
                await anext(outputs)
    assert len(containers_of(image)) == 1
    with running_agent(tmp_path / "b", network, "--name", f"{name}-other"):
        assert len(containers_of(image)) == 1
    with running_agent(tmp_path / "a", network, "--name", name):
        assert containers_of(image) == []


async def test_more_than_it_runs_at_once_is_turned_away(image, network, sandbox_with, tmp_path):
    with running_agent(tmp_path / "a", network, "--at-once", "1") as agent:
        sandbox = sandbox_with(agent.as_runners())
        async with sandbox.stream(ENDLESS, exec_env="remote", image=image) as running:
            assert (await anext(aiter(running))).data == b"begun\n"
            with pytest.raises(Throttled, match="1 commands at once"):
                await sandbox.exec(["true"], exec_env="remote", image=image)
        await emptied(image)


async def test_a_callers_certificate_is_asked_for_where_that_is_set(
    image, network, sandbox_with, tmp_path
):
    with running_agent(tmp_path / "a", network, client_ca=True) as agent:
        with pytest.raises(Unavailable):
            await sandbox_with(agent.as_runners()).exec(["true"], exec_env="remote", image=image)
        own = {"cert": str(tmp_path / "a" / "cert.pem"), "key": str(tmp_path / "a" / "key.pem")}
        sandbox = sandbox_with(agent.as_runners(**own))
        assert (await sandbox.exec(["true"], exec_env="remote", image=image)).ok


def test_the_address_is_not_shared_with_another_agent(agent, tmp_path):
    directory = Path(agent.runner.ca).parent
    words = [
        *(*agent.network.within, DAYFLY, "agent", "--listen", agent.runner.address),
        *("--tls-cert", "cert.pem", "--tls-key", "key.pem"),
        *("--token-file", "token", "--allow-image", "**"),
    ]
    done = subprocess.run(
        words, cwd=directory, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 125
    assert "cannot listen" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "does not start without TLS"),
        (("--tls-cert", "cert.pem", "--tls-key", "key.pem"), "does not start without a token"),
        (("--tls-cert", "none.pem"), "No such file"),
        (("--tls-cert", "ca.pem", "--tls-key", "key.pem"), "ca.pem and key.pem are no certificate"),
        (("--tls-cert", "token", "--tls-key", "key.pem"), "token and key.pem are no certificate"),
    ],
)
def test_it_refuses_to_start(agent, options, said):
    directory = Path(agent.runner.ca).parent
    done = subprocess.run(
        [DAYFLY, "agent", *options], cwd=directory, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert done.returncode == 125
    assert said in done.stderr
