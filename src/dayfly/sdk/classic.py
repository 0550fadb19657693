"""The services of the Go contract: runner, canceler, regions, log capture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.empty_pb2 import Empty

from dayfly.contract import convert
from dayfly.contract.jobs import Stream
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import iac_pb2_grpc as iac_grpc
from dayfly.sdk.guard import answering

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from dayfly.contract.jobs import LogBatch
    from dayfly.contract.services import JobCanceler, JobRunner, LogCapturer, RegionLister

    Context = grpc.aio.ServicerContext[Any, Any]

_SOURCES = {Stream.STDOUT: "stdout", Stream.STDERR: "stderr", Stream.COMBINED: "combined"}


class Runner(iac_grpc.IaCProviderRunnerServicer):
    """Runs a job, looks at it, reads its output."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    async def RunJob(self, request: iac.JobSpec, context: Context) -> iac.JobHandle:
        """Start a job."""
        async with answering(context, "RunJob"):
            handle = await self._runner.run_job(convert.spec_from_wire(request))
            return convert.handle_to_wire(handle)

    async def JobStatus(self, request: iac.JobHandle, context: Context) -> iac.JobStatusReply:
        """Where a job stands."""
        async with answering(context, "JobStatus"):
            status = await self._runner.job_status(convert.handle_from_wire(request))
            return convert.classic_status_to_wire(status)

    async def JobLogs(
        self, request: iac.JobHandle, context: Context
    ) -> AsyncIterator[iac.LogChunk]:
        """The output, and one empty chunk with eof: a Go reader drops what stands in that one."""
        async with answering(context, "JobLogs"):
            async for batch in self._runner.job_logs(convert.handle_from_wire(request)):
                if batch.data:
                    yield _chunk(batch)
            yield iac.LogChunk(eof=True)


class Canceler(iac_grpc.IaCProviderJobCancelerServicer):
    """Stops jobs."""

    def __init__(self, canceler: JobCanceler) -> None:
        self._canceler = canceler

    async def CancelJob(self, request: iac.JobHandle, context: Context) -> Empty:
        """Ask for the stop."""
        async with answering(context, "CancelJob"):
            await self._canceler.cancel_job(convert.handle_from_wire(request))
            return Empty()


class Regions(iac_grpc.IaCProviderRegionListerServicer):
    """Lists regions."""

    def __init__(self, regions: RegionLister) -> None:
        self._regions = regions

    async def ListRegions(
        self, request: iac.ListRegionsRequest, context: Context
    ) -> iac.ListRegionsResponse:
        """Regions on offer."""
        async with answering(context, "ListRegions"):
            regions = await self._regions.list_regions(request.env_name)
            return iac.ListRegionsResponse(
                regions=[
                    iac.ProviderRegion(name=r.name, display_name=r.display_name) for r in regions
                ]
            )


class LogCapture(iac_grpc.IaCProviderLogCaptureServicer):
    """Captures a resource's output."""

    def __init__(self, capturer: LogCapturer) -> None:
        self._capturer = capturer

    async def CaptureLogs(
        self, request: iac.CaptureLogsRequest, context: Context
    ) -> AsyncIterator[iac.LogChunk]:
        """The output, and one empty chunk with eof."""
        async with answering(context, "CaptureLogs"):
            kind = iac.LogCaptureType.Name(request.log_type).removeprefix("LOG_CAPTURE_TYPE_")
            batches = self._capturer.capture_logs(
                resource_name=request.resource_name,
                resource_type=request.resource_type,
                provider_id=request.provider_id,
                component_name=request.component_name,
                log_type=kind,
                tail_lines=request.tail_lines,
                follow=request.follow,
                duration_seconds=request.duration_seconds,
                deployment_id=request.deployment_id,
            )
            async for batch in batches:
                if batch.data:
                    yield _chunk(batch)
            yield iac.LogChunk(eof=True)


def _chunk(batch: LogBatch) -> iac.LogChunk:
    return iac.LogChunk(data=batch.data, source=_SOURCES[batch.stream])
