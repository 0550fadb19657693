"""The services of the Go contract: run, look, read, cancel, regions, captured logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty

from dayfly.contract import convert
from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import Stream
from dayfly.contract.validate import validate_spec
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire.iac_pb2_grpc import (
    IaCProviderJobCancelerServicer,
    IaCProviderLogCaptureServicer,
    IaCProviderRegionListerServicer,
    IaCProviderRunnerServicer,
)
from dayfly.sdk.batches import gathered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.jobs import LogBatch
    from dayfly.contract.services import JobCanceler, JobRunner, LogCapturer, RegionLister

_SOURCES = {Stream.STDOUT: "stdout", Stream.STDERR: "stderr", Stream.COMBINED: "combined"}
#: Go clients refuse more than 4 MiB unless they are told otherwise.
_CHUNK_BYTES = 1024 * 1024
_LOG_TYPE_PREFIX = "LOG_CAPTURE_TYPE_"


class Runner(IaCProviderRunnerServicer):
    """A ``JobRunner`` on the wire."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    async def RunJob(self, request: iac.JobSpec, context: object) -> iac.JobHandle:
        """Start a job."""
        spec = convert.spec_from_wire(request)
        validate_spec(spec)
        return convert.handle_to_wire(await self._runner.run_job(spec))

    async def JobStatus(self, request: iac.JobHandle, context: object) -> iac.JobStatusReply:
        """Where a job stands."""
        status = await self._runner.job_status(convert.handle_from_wire(request))
        return convert.classic_status_to_wire(status)

    async def JobLogs(self, request: iac.JobHandle, context: object) -> AsyncIterator[iac.LogChunk]:
        """A job's output."""
        batches = self._runner.job_logs(convert.handle_from_wire(request))
        async for chunk in _chunks(batches):
            yield chunk


class Canceler(IaCProviderJobCancelerServicer):
    """A ``JobCanceler`` on the wire."""

    def __init__(self, canceler: JobCanceler) -> None:
        self._canceler = canceler

    async def CancelJob(self, request: iac.JobHandle, context: object) -> Empty:
        """Ask for the stop of a job."""
        await self._canceler.cancel_job(convert.handle_from_wire(request))
        return Empty()


class Regions(IaCProviderRegionListerServicer):
    """A ``RegionLister`` on the wire."""

    def __init__(self, regions: RegionLister) -> None:
        self._regions = regions

    async def ListRegions(
        self, request: iac.ListRegionsRequest, context: object
    ) -> iac.ListRegionsResponse:
        """The regions on offer."""
        regions = await self._regions.list_regions(request.env_name)
        return iac.ListRegionsResponse(
            regions=[
                iac.ProviderRegion(name=region.name, display_name=region.display_name)
                for region in regions
            ]
        )


class LogCapture(IaCProviderLogCaptureServicer):
    """A ``LogCapturer`` on the wire."""

    def __init__(self, capturer: LogCapturer) -> None:
        self._capturer = capturer

    async def CaptureLogs(
        self, request: iac.CaptureLogsRequest, context: object
    ) -> AsyncIterator[iac.LogChunk]:
        """A resource's output."""
        batches = self._capturer.capture_logs(
            resource_name=request.resource_name,
            resource_type=request.resource_type,
            provider_id=request.provider_id,
            component_name=request.component_name,
            log_type=_log_type(request.log_type),
            tail_lines=request.tail_lines,
            follow=request.follow,
            duration_seconds=request.duration_seconds,
            deployment_id=request.deployment_id,
        )
        async for chunk in _chunks(batches):
            yield chunk


async def _chunks(batches: AsyncIterator[LogBatch]) -> AsyncIterator[iac.LogChunk]:
    async for batch in gathered(batches):
        for start in range(0, len(batch.data), _CHUNK_BYTES):
            piece = batch.data[start : start + _CHUNK_BYTES]
            yield iac.LogChunk(data=piece, source=_SOURCES[batch.stream])
    # Go's reader drops the data of the chunk that says eof, so that one is empty.
    yield iac.LogChunk(eof=True)


def _log_type(value: iac.LogCaptureType.ValueType) -> str:
    if value not in iac.LogCaptureType.values():
        raise InvalidField(
            f"log_type is {value}, which this version does not know", field="log_type"
        )
    return iac.LogCaptureType.Name(value).removeprefix(_LOG_TYPE_PREFIX)
