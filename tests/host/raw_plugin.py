# ruff: noqa: N802 - the methods are named by the wire
"""A plugin written on grpc.aio alone, as the wire says and no more.

What it does is chosen by its configuration, or by words on its command line.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import grpc.aio
from google.protobuf.empty_pb2 import Empty

from dayfly.contract import names
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import dayfly_v1_pb2_grpc as v1_grpc
from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire import go_plugin_pb2_grpc as go_grpc
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import iac_pb2_grpc as iac_grpc
from dayfly.contract.wire import plugin_service_pb2 as plugin
from dayfly.contract.wire import plugin_service_pb2_grpc as plugin_grpc

MODES = set(sys.argv[1:])
STOP = asyncio.Event()
CONFIG: dict[str, object] = {}


class PluginService(plugin_grpc.PluginServiceServicer):
    async def GetManifest(self, request, context):
        if "no-manifest" in MODES:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no")
        if "slow-load" in MODES:
            await asyncio.sleep(3600)
        if "dies-while-loading" in MODES:
            print("my last words", file=sys.stderr, flush=True)
            os._exit(7)
        return plugin.Manifest(name="raw", version="1.2.3")

    async def GetContractRegistry(self, request, context):
        served = [names.RUNNER, names.SUBMIT, names.OBSERVE, names.CANCELER]
        if "classic" in MODES:
            served = [names.RUNNER]
        if "full" in MODES:
            served = list(names.CAPABILITIES.values())
        return plugin.ContractRegistry(
            contracts=[
                plugin.ContractDescriptor(
                    kind=plugin.CONTRACT_KIND_SERVICE,
                    service_name=name,
                    mode=plugin.CONTRACT_MODE_STRICT_PROTO,
                )
                for name in served
            ]
        )


class Required(iac_grpc.IaCProviderRequiredServicer):
    async def Initialize(self, request, context):
        CONFIG.update(json.loads(request.config_json))
        if "colour" in CONFIG:
            detail = v1.ErrorDetail(field="colour", advice="Leave it out.")
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                "colour is not a key of this plugin",
                (("dayfly-error-bin", detail.SerializeToString()),),
            )
        return iac.InitializeResponse()


class Controller(go_grpc.GRPCControllerServicer):
    async def Shutdown(self, request, context):
        if "deaf" not in MODES:
            STOP.set()
        return go.Empty()


class Stdio(go_grpc.GRPCStdioServicer):
    async def StreamStdio(self, request, context):
        yield go.StdioData(channel=go.StdioData.STDOUT, data=b"printed by ")
        yield go.StdioData(channel=go.StdioData.STDOUT, data=b"the plugin\n")
        while "floods-stdio" in MODES:
            yield go.StdioData(channel=go.StdioData.STDERR, data=b"x" * 1024)
        await asyncio.sleep(3600)


class Runner(iac_grpc.IaCProviderRunnerServicer):
    async def RunJob(self, request, context):
        return iac.JobHandle(id="1", name=request.name, provider="raw")

    async def JobStatus(self, request, context):
        return iac.JobStatusReply(state=iac.JOB_STATE_FAILED, exit_code=3, message="it failed")

    async def JobLogs(self, request, context):
        yield iac.LogChunk(data=b"out\n", source="stdout")
        yield iac.LogChunk(data=b"err\n", source="stderr")
        yield iac.LogChunk(eof=True)
        yield iac.LogChunk(data=b"never read")


class Submit(v1_grpc.SubmitServicer):
    async def Describe(self, request, context):
        if request.ByteSize() == 0 and "environment" in MODES:
            return v1.Description(provider="raw", side_effects=sorted(os.environ))
        return v1.Description(provider="raw", version="1.2.3", honours=["command"])

    async def Check(self, request, context):
        if "full" not in MODES:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no")
        return v1.CheckReply(checks=[v1.Check(name="engine", outcome=99, detail="odd")])

    async def Plan(self, request, context):
        if "full" not in MODES:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no")
        call = v1.PlannedCall(call="RunTask", request_json=request.idempotency_key)
        return v1.PlanReply(calls=[call], notes=["rounded up"])

    async def Submit(self, request, context):
        yield v1.SubmitEvent(progress=v1.Progress(phase="pulling image", done=1, total=2))
        if "no-handle" in MODES:
            return
        if "silent" in MODES:
            await asyncio.sleep(3600)
        handle = iac.JobHandle(id=request.idempotency_key)
        yield v1.SubmitEvent(submitted=v1.Submitted(handle=handle))

    async def Find(self, request, context):
        match request.idempotency_key:
            case "hang":
                await asyncio.sleep(3600)
            case "die":
                print("dying now", file=sys.stderr, flush=True)
                os.abort()
            case "bad":
                return v1.FindReply(handle=iac.JobHandle())
            case "known":
                return v1.FindReply(handle=iac.JobHandle(id="known"))
        return v1.FindReply()


class Observe(v1_grpc.ObserveServicer):
    async def Statuses(self, request, context):
        handles = list(request.handles)
        if handles[0].id == "swapped":
            handles.reverse()
        return v1.StatusesReply(
            observations=[v1.JobObservation(handle=h, state=iac.JOB_STATE_RUNNING) for h in handles]
        )

    async def Logs(self, request, context):
        if request.handle.id.startswith("flood:"):
            data = b"x" * 65536
            for number in range(int(request.handle.id.removeprefix("flood:"))):
                yield v1.LogBatch(stream=v1.STREAM_STDOUT, data=data, cursor=str(number))
            return
        yield v1.LogBatch(stream=v1.STREAM_STDOUT, data=b"one\n", cursor="4")
        if request.follow:
            await asyncio.sleep(3600)


class Full(
    v1_grpc.EventsServicer,
    v1_grpc.InventoryServicer,
    iac_grpc.IaCProviderJobCancelerServicer,
    iac_grpc.IaCProviderRegionListerServicer,
    iac_grpc.IaCProviderLogCaptureServicer,
):
    async def Watch(self, request, context):
        for handle in request.handles:
            yield v1.JobEvent(handle_id=handle.id)

    async def List(self, request, context):
        observation = v1.JobObservation(
            handle=iac.JobHandle(id="1"), state=iac.JOB_STATE_FAILED, exit_code=0
        )
        return v1.ListReply(
            jobs=[v1.ListedJob(observation=observation, idempotency_key="k", labels={"a": "b"})]
        )

    async def Delete(self, request, context):
        detail = v1.ErrorDetail(advice="Cancel it first.")
        await context.abort(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"job {request.id} still runs",
            (("dayfly-error-bin", detail.SerializeToString()),),
        )

    async def Prune(self, request, context):
        name = f"{request.dry_run} {request.older_than_seconds}"
        return v1.PruneReply(leftovers=[v1.Leftover(kind="container", name=name)])

    async def CancelJob(self, request, context):
        return Empty()

    async def ListRegions(self, request, context):
        return iac.ListRegionsResponse(
            regions=[iac.ProviderRegion(name=request.env_name, display_name="Here")]
        )

    async def CaptureLogs(self, request, context):
        name = iac.LogCaptureType.Name(request.log_type)
        yield iac.LogChunk(data=f"{request.resource_name} {name}".encode())
        yield iac.LogChunk(eof=True)


async def main() -> None:
    server = grpc.aio.server()
    plugin_grpc.add_PluginServiceServicer_to_server(PluginService(), server)
    iac_grpc.add_IaCProviderRequiredServicer_to_server(Required(), server)
    go_grpc.add_GRPCControllerServicer_to_server(Controller(), server)
    go_grpc.add_GRPCStdioServicer_to_server(Stdio(), server)
    if "unserved" not in MODES:
        iac_grpc.add_IaCProviderRunnerServicer_to_server(Runner(), server)
    v1_grpc.add_SubmitServicer_to_server(Submit(), server)
    v1_grpc.add_ObserveServicer_to_server(Observe(), server)
    if "full" in MODES:
        full = Full()
        v1_grpc.add_EventsServicer_to_server(full, server)
        v1_grpc.add_InventoryServicer_to_server(full, server)
        iac_grpc.add_IaCProviderJobCancelerServicer_to_server(full, server)
        iac_grpc.add_IaCProviderRegionListerServicer_to_server(full, server)
        iac_grpc.add_IaCProviderLogCaptureServicer_to_server(full, server)
    path = os.environ["PLUGIN_UNIX_SOCKET_DIR"] + "/raw%20.sock"
    server.add_insecure_port("unix:" + path.replace("%", "%25"))
    await server.start()
    print('{"@level": "warn", "@message": "up", "port": 1}', file=sys.stderr, flush=True)
    if "floods-stderr" in MODES:
        await asyncio.create_subprocess_exec("yes", stdout=sys.stderr)
    print(f"1|1|unix|{path}|grpc||true", flush=True)
    await STOP.wait()
    await server.stop(0)


if __name__ == "__main__":
    asyncio.run(main())
