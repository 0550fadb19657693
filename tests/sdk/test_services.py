"""What is served, what is refused, and how failures read on the other side."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from dayfly.contract import names
from dayfly.contract.errors import (
    FailedPrecondition,
    InvalidField,
    NotServed,
    ProviderFailed,
    Throttled,
)
from dayfly.contract.jobs import Reason
from dayfly.contract.rpc_errors import from_rpc_error
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import iac_pb2_grpc as iac_grpc
from dayfly.contract.wire import plugin_service_pb2 as service


def submission(*command, key="k", **spec):
    return v1.Submission(spec=iac.JobSpec(**spec), idempotency_key=key, command=command)


async def failure(call):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return from_rpc_error(caught.value, "asking")


async def announced(plugin):
    registry = await plugin.plugin.GetContractRegistry(Empty())
    assert {contract.mode for contract in registry.contracts} == {
        service.CONTRACT_MODE_STRICT_PROTO
    }
    return {contract.service_name for contract in registry.contracts}


async def test_who_it_is(plugin):
    manifest = await plugin.plugin.GetManifest(Empty())
    assert (manifest.name, manifest.version) == ("scripted", "1.2.3")
    assert (await plugin.required.Name(iac.NameRequest())).name == "scripted"
    assert (await plugin.required.Version(iac.VersionRequest())).version == "1.2.3"
    assert list((await plugin.plugin.GetModuleTypes(Empty())).types) == []


async def test_everything_there_is_announced(plugin):
    assert await announced(plugin) == {names.REQUIRED, *names.CAPABILITIES.values()}


async def test_what_is_not_there_is_neither_announced_nor_served(start):
    async with start("few") as plugin:
        assert await announced(plugin) == {
            names.REQUIRED,
            names.SUBMIT,
            names.OBSERVE,
            names.RUNNER,
        }
        error = await failure(plugin.inventory.List(v1.ListRequest()))
        assert isinstance(error, NotServed)


async def test_capabilities_come_before_initialize_and_calls_do_not(start):
    async with start(initialized=False) as plugin:
        reply = await plugin.required.Capabilities(iac.CapabilitiesRequest())
        assert reply.compute_plan_version == "v2"
        error = await failure(plugin.submit.Describe(v1.DescribeRequest()))
        assert error.code.name == "FAILED_PRECONDITION"
        await plugin.initialize()
        await plugin.submit.Describe(v1.DescribeRequest())


async def test_initialize_may_come_again(plugin):
    await plugin.initialize(b'{"a": 1}')
    await plugin.initialize(b"")
    description = await plugin.submit.Describe(v1.DescribeRequest())
    assert list(description.side_effects) == ["{}", "{'a': 1}", "{}"]


@pytest.mark.parametrize("config", [b"[]", b"{", b"null", b'{"a": NaN}', b"\xff", b"[" * 100_000])
async def test_a_configuration_that_is_none_is_refused(plugin, config):
    error = await failure(plugin.initialize(config))
    assert isinstance(error, InvalidField)
    assert error.field == "config_json"


async def test_a_refused_key_is_named(plugin):
    error = await failure(plugin.initialize(b'{"colour": "red"}'))
    assert isinstance(error, InvalidField)
    assert (error.field, error.advice) == ("colour", "Leave it out.")


async def test_an_error_arrives_with_all_it_says(plugin):
    error = await failure(plugin.submit.Plan(submission("throttled")))
    assert isinstance(error, Throttled)
    assert error.message == "slow down"
    assert error.reason is Reason.NO_CAPACITY
    assert error.retry_after_seconds == 2.5


async def test_an_error_in_a_task_group_is_still_that_error(plugin):
    error = await failure(plugin.submit.Plan(submission("grouped")))
    assert isinstance(error, InvalidField)
    assert error.field == "command"


@pytest.mark.parametrize("where", [(), ("grouped",)], ids=["alone", "in-a-task-group"])
async def test_a_package_that_is_not_installed_is_named_with_what_to_do(plugin, where):
    error = await failure(plugin.submit.Plan(submission("unpacked", *where)))
    assert isinstance(error, FailedPrecondition)
    assert "needs the Python package 'no_such_package'" in error.message
    assert "pip install 'dayfly[scripted]'" in error.advice


async def test_a_fault_names_plugin_and_call_and_leaves_a_traceback_in_the_log(plugin):
    error = await failure(plugin.submit.Plan(submission("broken")))
    assert isinstance(error, ProviderFailed)
    assert "'scripted'" in error.message
    assert "dayfly.v1.Submit/Plan" in error.message
    assert "division by zero" in error.message
    _, _, log = await plugin.shut_down()
    assert "Traceback" in log


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (submission("true", key=""), "key"),
        (submission("true", name="not a name"), "name"),
        (submission("true", image="alpine"), "image"),
        (submission("true", kind="SOMETIMES"), "kind"),
        (submission("true", env_vars={"A": "secret://b"}), "env.A"),
    ],
)
@pytest.mark.parametrize("call", ["Plan", "Submit"])
async def test_a_job_is_refused_before_its_provider_sees_it(plugin, call, wrong, field):
    if call == "Plan":
        error = await failure(plugin.submit.Plan(wrong))
    else:
        error = await failure(plugin.submit.Submit(wrong).read())
    assert isinstance(error, InvalidField)
    assert error.field == field


async def test_a_launch_sends_progress_and_then_its_handle(plugin):
    events = [event async for event in plugin.submit.Submit(submission("a b", "c"))]
    assert [event.progress.done for event in events[:-1]] == [0, 1, 2]
    assert events[-1].submitted.handle.id == "k"
    assert events[-1].submitted.handle.name == "('a b', 'c')"


async def test_find_tells_a_known_key_from_another(plugin):
    assert (await plugin.submit.Find(v1.FindRequest(idempotency_key="k"))).handle.id == "k"
    unknown = await plugin.submit.Find(v1.FindRequest(idempotency_key="unknown"))
    assert not unknown.HasField("handle")


async def test_a_provider_that_miscounts_is_found_out(plugin):
    request = v1.StatusesRequest(handles=[iac.JobHandle(id="miscounted")])
    assert isinstance(await failure(plugin.observe.Statuses(request)), ProviderFailed)


async def test_events_inventory_cancel_and_regions(plugin):
    watch = plugin.events.Watch(v1.EventsRequest(handles=[iac.JobHandle(id="7")]))
    assert (await watch.read()).handle_id == "7"
    watch.cancel()
    [job] = (await plugin.inventory.List(v1.ListRequest())).jobs
    assert (job.idempotency_key, job.labels["a"], job.warning) == ("k", "b", "look")
    await plugin.inventory.Delete(iac.JobHandle(id="1"))
    reply = await plugin.inventory.Prune(v1.PruneRequest(dry_run=True, older_than_seconds=5))
    assert (reply.leftovers[0].name, reply.leftovers[0].detail) == ("5", "True")
    error = await failure(plugin.inventory.Prune(v1.PruneRequest(older_than_seconds=-1)))
    assert error.field == "older_than_seconds"
    canceler = iac_grpc.IaCProviderJobCancelerStub(plugin.channel)
    await canceler.CancelJob(iac.JobHandle(id="1"))
    lister = iac_grpc.IaCProviderRegionListerStub(plugin.channel)
    [region] = (await lister.ListRegions(iac.ListRegionsRequest(env_name="prod"))).regions
    assert (region.name, region.display_name) == ("r1", "prod")


async def test_health_and_both_reflections(plugin):
    health = health_pb2_grpc.HealthStub(plugin.channel)
    reply = await health.Check(health_pb2.HealthCheckRequest(service="plugin"))
    assert reply.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
        await health.Check(health_pb2.HealthCheckRequest(service="other"))
    for version in ("v1", "v1alpha"):
        call = plugin.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        listed = {item.name for item in (await call.read()).list_services_response.service}
        assert await announced(plugin) <= listed
        await call.write(
            reflection_pb2.ServerReflectionRequest(file_containing_symbol=names.SUBMIT)
        )
        assert (await call.read()).file_descriptor_response.file_descriptor_proto
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
    assert reflection_pb2_grpc.ServerReflectionStub(plugin.channel)


async def test_three_thousand_calls_at_once_are_all_answered(plugin):
    requests = [v1.FindRequest(idempotency_key=f"k{n}") for n in range(3000)]
    replies = await asyncio.gather(*map(plugin.submit.Find, requests))
    assert [reply.handle.id for reply in replies] == [f"k{n}" for n in range(3000)]
