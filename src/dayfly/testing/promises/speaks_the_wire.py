"""The plugin as a plugin: its announcements, its classic services, its end."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest
from google.protobuf.empty_pb2 import Empty

from dayfly.contract import names
from dayfly.contract.convert import handle_from_wire
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import plugin_service_pb2 as plugin_pb
from dayfly.contract.wire.iac_pb2_grpc import (
    IaCProviderJobCancelerStub,
    IaCProviderRequiredStub,
    IaCProviderRunnerStub,
)
from dayfly.contract.wire.plugin_service_pb2_grpc import PluginServiceStub
from dayfly.host import verify_manifest
from dayfly.testing.rules import Promise, rule

if TYPE_CHECKING:
    from dayfly.contract.wire.iac_pb2_grpc import IaCProviderRunnerAsyncStub
    from dayfly.testing.trial import Trial

_ENDED = {iac.JOB_STATE_SUCCEEDED, iac.JOB_STATE_FAILED, iac.JOB_STATE_CANCELLED}
_CALL_SECONDS = 20.0
_ENDLESS = "trap 'exit 143' TERM; sleep 60 & wait"

#: A call of each service that changes nothing.
_PROBES = {
    names.RUNNER: "JobStatus",
    names.CANCELER: "CancelJob",
    names.REGION_LISTER: "ListRegions",
    names.SUBMIT: "Find",
    names.OBSERVE: "Statuses",
    names.INVENTORY: "List",
}


class SpeaksTheWire(Promise):
    """The wire contract, as a Go host would see it."""

    @rule()
    async def test_the_registry_says_what_is_served(self, trial: Trial) -> None:
        """Each service is announced once, as STRICT_PROTO, and is there; others are not."""
        registry = await PluginServiceStub(trial.session.plugin.channel).GetContractRegistry(
            Empty(), timeout=_CALL_SECONDS
        )
        services = [c for c in registry.contracts if c.kind == plugin_pb.CONTRACT_KIND_SERVICE]
        announced = [contract.service_name for contract in services]
        assert len(set(announced)) == len(announced)
        assert {contract.mode for contract in services} == {plugin_pb.CONTRACT_MODE_STRICT_PROTO}
        for service, method in _PROBES.items():
            code = await _probe(trial, f"/{service}/{method}")
            absent = code is grpc.StatusCode.UNIMPLEMENTED
            assert absent != (service in announced), f"{service}: {code}"

    @rule()
    async def test_plugin_json_tells_the_truth(self, trial: Trial) -> None:
        """Name, version and services in plugin.json are those of the plugin."""
        plugin = trial.session.plugin
        assert await verify_manifest(plugin.manifest, plugin) == []

    @rule()
    async def test_initialize_may_come_twice(self, trial: Trial) -> None:
        """Initialize may come again, and Capabilities say compute plan version v2."""
        required = IaCProviderRequiredStub(trial.session.plugin.channel)
        capabilities = await required.Capabilities(iac.CapabilitiesRequest(), timeout=_CALL_SECONDS)
        assert capabilities.compute_plan_version == "v2"
        for text in (b"[]", b"{", b"\xff"):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await required.Initialize(
                    iac.InitializeRequest(config_json=text), timeout=_CALL_SECONDS
                )
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        process = trial.session.process
        assert process.popen.poll() is None

    @rule()
    async def test_shutdown_leaves_no_process(self, trial: Trial) -> None:
        """After Shutdown the process, its group and its socket's directory are gone."""
        async with trial.another_session() as session:
            pid, place = session.process.popen.pid, session.process.socket_dir
            assert place.exists()
        assert session.process.popen.poll() is not None
        assert not place.exists()
        with pytest.raises(ProcessLookupError):
            os.killpg(pid, 0)

    @rule("runner")
    async def test_a_classic_job_runs(self, trial: Trial) -> None:
        """RunJob, JobStatus and JobLogs work alone; the last chunk is one empty eof."""
        runner = IaCProviderRunnerStub(trial.session.plugin.channel)
        spec = _classic(trial, "echo out; echo err >&2; exit 5", env_vars={"A": "b"})
        handle = await runner.RunJob(spec, timeout=trial.provider.seconds)
        trial.remember(handle_from_wire(handle))
        chunks = [chunk async for chunk in runner.JobLogs(handle, timeout=trial.provider.seconds)]
        assert [chunk.eof for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
        assert chunks[-1].data == b""
        assert sorted(b"".join(c.data for c in chunks).splitlines()) == [b"err", b"out"]
        reply = await _ended(runner, handle, trial.provider.seconds)
        assert (reply.state, reply.exit_code) == (iac.JOB_STATE_FAILED, 5)

    @rule("runner")
    async def test_every_classic_run_is_another_job(self, trial: Trial) -> None:
        """RunJob has no key: each call starts a job."""
        runner = IaCProviderRunnerStub(trial.session.plugin.channel)
        handles = [
            await runner.RunJob(_classic(trial, "true"), timeout=trial.provider.seconds)
            for _ in range(2)
        ]
        for handle in handles:
            trial.remember(handle_from_wire(handle))
            reply = await _ended(runner, handle, trial.provider.seconds)
            assert (reply.state, reply.exit_code) == (iac.JOB_STATE_SUCCEEDED, 0)
        assert len({handle.id for handle in handles}) == 2

    @rule("runner", "canceler")
    async def test_a_classic_job_is_cancelled(self, trial: Trial) -> None:
        """CancelJob stops a job of RunJob, and its logs end."""
        channel = trial.session.plugin.channel
        runner, canceler = IaCProviderRunnerStub(channel), IaCProviderJobCancelerStub(channel)
        handle = await runner.RunJob(_classic(trial, _ENDLESS), timeout=trial.provider.seconds)
        trial.remember(handle_from_wire(handle))
        await canceler.CancelJob(handle, timeout=trial.provider.seconds)
        reply = await _ended(runner, handle, trial.provider.seconds)
        assert reply.state == iac.JOB_STATE_CANCELLED
        chunks = [chunk async for chunk in runner.JobLogs(handle, timeout=trial.provider.seconds)]
        assert chunks[-1].eof

    @rule("runner")
    async def test_classic_errors_have_codes(self, trial: Trial) -> None:
        """An unknown job is NOT_FOUND, a field that is not honoured INVALID_ARGUMENT."""
        runner = IaCProviderRunnerStub(trial.session.plugin.channel)
        nobody = iac.JobHandle(id="no-such-job", provider=trial.session.plugin.name)
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await runner.JobStatus(nobody, timeout=_CALL_SECONDS)
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.aio.AioRpcError) as silent:
            _ = [chunk async for chunk in runner.JobLogs(nobody, timeout=_CALL_SECONDS)]
        assert silent.value.code() is grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await runner.RunJob(_classic(trial, "true", cron="* * * * *"), timeout=_CALL_SECONDS)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT

    @rule("observer")
    async def test_a_wrong_request_is_refused_and_harms_nobody(self, trial: Trial) -> None:
        """A handle without an id is INVALID_ARGUMENT, and the plugin goes on."""
        call = trial.session.plugin.channel.unary_unary(
            f"/{names.OBSERVE}/Statuses",
            request_serializer=v1.StatusesRequest.SerializeToString,
            response_deserializer=v1.StatusesReply.FromString,
        )
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(v1.StatusesRequest(handles=[iac.JobHandle()]), timeout=_CALL_SECONDS)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert not (await call(v1.StatusesRequest(), timeout=_CALL_SECONDS)).observations


def _classic(trial: Trial, line: str, **fields: object) -> iac.JobSpec:
    return iac.JobSpec(
        name="conformance",
        kind="EPHEMERAL",
        image=trial.provider.image,
        run_command=line,
        **fields,  # type: ignore[arg-type]
    )


async def _ended(
    runner: IaCProviderRunnerAsyncStub, handle: iac.JobHandle, seconds: float
) -> iac.JobStatusReply:
    async with asyncio.timeout(seconds):
        while True:
            reply: iac.JobStatusReply = await runner.JobStatus(handle, timeout=_CALL_SECONDS)
            if reply.state in _ENDED:
                return reply
            await asyncio.sleep(0.05)


async def _probe(trial: Trial, method: str) -> grpc.StatusCode:
    channel = trial.session.plugin.channel
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    try:
        await call(b"", timeout=_CALL_SECONDS)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK
