"""Logs of resources that are not jobs, over the wire."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from dayfly.contract import names
from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import LogBatch, Stream
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire.iac_pb2_grpc import IaCProviderLogCaptureStub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc.aio

    from dayfly.host.calls import Calls

_PREFIX = "LOG_CAPTURE_TYPE_"


class LogCaptureClient:
    """``LogCapturer`` of a plugin."""

    def __init__(self, channel: grpc.aio.Channel, calls: Calls) -> None:
        self._stub = IaCProviderLogCaptureStub(channel)
        self._calls = calls

    async def capture_logs(
        self,
        *,
        resource_name: str,
        resource_type: str,
        provider_id: str,
        component_name: str,
        log_type: str,
        tail_lines: int,
        follow: bool,
        duration_seconds: int,
        deployment_id: str,
    ) -> AsyncIterator[LogBatch]:
        """Output of a resource that is not a job."""
        chunks = self._calls.stream(
            self._stub.CaptureLogs,
            iac.CaptureLogsRequest(
                resource_name=resource_name,
                resource_type=resource_type,
                provider_id=provider_id,
                component_name=component_name,
                log_type=_log_type(log_type),
                tail_lines=tail_lines,
                follow=follow,
                duration_seconds=duration_seconds,
                deployment_id=deployment_id,
            ),
            service=names.LOG_CAPTURE,
            tried=f"for the output of {resource_name}",
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                if chunk.data:
                    yield LogBatch(stream=Stream.COMBINED, data=chunk.data, cursor="")
                if chunk.eof:
                    return


def _log_type(name: str) -> iac.LogCaptureType.ValueType:
    try:
        return iac.LogCaptureType.Value(_PREFIX + name)
    except ValueError:
        allowed = ", ".join(key.removeprefix(_PREFIX) for key in iac.LogCaptureType.keys())  # noqa: SIM118 - not a dict
        raise InvalidField(f"log_type is {name!r}; allowed: {allowed}", field="log_type") from None
