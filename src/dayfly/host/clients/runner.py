"""The classic runner over the wire."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from dayfly.contract import convert, names
from dayfly.contract.jobs import LogBatch, Stream
from dayfly.contract.wire.iac_pb2_grpc import IaCProviderRunnerStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from dayfly.contract.jobs import JobHandle, JobSpec, JobStatus
    from dayfly.host.calls import Calls

_STREAMS = {"stdout": Stream.STDOUT, "stderr": Stream.STDERR}


class RunnerClient:
    """``JobRunner`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = IaCProviderRunnerStub(channel)
        self._calls = calls

    async def run_job(self, spec: JobSpec) -> JobHandle:
        """Start the job."""
        tried = "to run a job"
        wire = await self._calls.unary(
            self._stub.RunJob,
            convert.spec_to_wire(spec),
            service=names.RUNNER,
            tried=tried,
            seconds=self._calls.deadlines.run,
        )
        return self._calls.understood(convert.handle_from_wire, wire, tried)

    async def job_status(self, handle: JobHandle) -> JobStatus:
        """Where the job stands."""
        wire = await self._calls.unary(
            self._stub.JobStatus,
            convert.handle_to_wire(handle),
            service=names.RUNNER,
            tried=f"about job {handle.id}",
        )
        return convert.classic_status_from_wire(wire, handle)

    async def job_logs(self, handle: JobHandle) -> AsyncIterator[LogBatch]:
        """The job's output from its beginning."""
        chunks = self._calls.stream(
            self._stub.JobLogs,
            convert.handle_to_wire(handle),
            service=names.RUNNER,
            tried=f"for the output of job {handle.id}",
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                if chunk.data:
                    stream = _STREAMS.get(chunk.source, Stream.COMBINED)
                    yield LogBatch(stream=stream, data=chunk.data, cursor="")
                if chunk.eof:
                    return
