"""From a request to its answer: credentials, quota, faults, the models, and the operation."""

from __future__ import annotations

import asyncio
import socket
import struct
import traceback
import uuid
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from tests.emulators.aws import control, ecs, faults, identity, logs, network, references
from tests.emulators.aws.calls import JSON, Call, read_call
from tests.emulators.aws.errors import ApiError
from tests.emulators.aws.shapes import violations

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.aws.emulator import Emulator
    from tests.emulators.aws.knobs import Fault
    from tests.emulators.aws.regions import Region

OPERATIONS: Final[dict[str, dict[str, Callable[[Region, dict[str, Any]], dict[str, Any]]]]] = {
    "ecs": ecs.OPERATIONS,
    "logs": logs.OPERATIONS,
    "sts": identity.STS,
    "iam": identity.IAM,
    "ec2": network.OPERATIONS,
    "secretsmanager": references.SECRETSMANAGER,
    "ssm": references.SSM,
}


class _Reset(Exception):  # noqa: N818 - no error: a way to answer
    """The connection is to be cut."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.kind)
        self.orderly = fault.orderly


class Service:
    """Answers requests for an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith(control.PREFIX):
            return await control.handle(self._emulator, request)
        body = await request.read()
        request_id = str(uuid.uuid4())
        try:
            call = read_call(request.headers, body)
        except ApiError as error:
            self._emulator.violations.append(f"{error.code}: {error}")
            text = f'{{"__type":"{error.code}","message":"{error}"}}'
            return web.Response(text=text, status=error.status, content_type=JSON)
        try:
            members = await self._carry_out(call)
            answer, kind = call.answer(members, request_id)
            status = 200
        except ApiError as error:
            if error.violation:
                self._emulator.violations.append(f"{call.name} {error}")
            answer, kind = call.error(error, request_id)
            status = error.status
        except _Reset as reset:
            _cut(request, orderly=reset.orderly)
            answer, kind, status = b"", JSON, 500
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not pass for AWS's answer
            self._emulator.violations.append(f"emulator: {call.name}\n{traceback.format_exc()}")
            failure = ApiError("InternalFailure", f"the emulator failed: {error!r}", status=500)
            answer, kind = call.error(failure, request_id)
            status = failure.status
        return web.Response(
            body=answer,
            status=status,
            headers={"x-amzn-RequestId": request_id, "Content-Type": kind},
        )

    async def _carry_out(self, call: Call) -> dict[str, Any]:
        emulator = self._emulator
        emulator.calls[call.name] += 1
        if latency := emulator.knobs.latency_seconds:
            await asyncio.sleep(latency)
        due = emulator.faults.due(emulator.knobs, call.service, call.operation)
        self._refuse(call, due)
        members = self._members(call)
        emulator.requests.append((call.name, members))
        region = emulator.region(call.region)
        region.faults = due
        answer = self._operation(call)(region, dict(members))
        if members.get("DryRun"):
            message = "Request would have succeeded, but DryRun flag is set."
            raise ApiError("DryRunOperation", message, status=412)
        if emulator.knobs.check_responses:
            found = violations(call.model.output_shape, answer, sample=True)
            emulator.violations += [f"answer of {call.name} {one}" for one in found]
        for fault in due:
            if fault.kind == "reset_after":
                raise _Reset(fault)
            if fault.kind == "hang":
                await asyncio.sleep(fault.seconds)
        return answer

    def _refuse(self, call: Call, due: list[Fault]) -> None:
        emulator, service = self._emulator, call.service
        knobs, kinds = emulator.knobs, {fault.kind: fault for fault in due}
        if "reset_before" in kinds:
            raise _Reset(kinds["reset_before"])
        if "bad_credentials" in kinds or (
            knobs.access_keys and call.access_key not in knobs.access_keys
        ):
            raise faults.bad_credentials(service)
        if "expired" in kinds:
            raise faults.expired(service)
        if "throttled" in kinds:
            raise faults.throttled(service)
        emulator.faults.throttle(knobs, call.region, service, call.operation)
        # GetCallerIdentity cannot be denied: it answers whoever signs.
        if "denied" in kinds and call.operation != "GetCallerIdentity":
            said = kinds["denied"].message
            raise faults.denied(knobs, call.region, service, call.operation, said)
        if "server_error" in kinds:
            raise faults.server_error(service, kinds["server_error"])

    def _members(self, call: Call) -> dict[str, Any]:
        members = call.parameters()
        found = violations(call.model.input_shape, members)
        if found:
            self._emulator.violations += [f"{call.name} {one}" for one in found]
            raise call.misfit(found)
        return members

    def _operation(self, call: Call) -> Callable[[Region, dict[str, Any]], dict[str, Any]]:
        operation = OPERATIONS[call.service].get(call.operation)
        if operation is None:
            message = f"{call.name} is not emulated"
            raise ApiError("UnknownOperationException", message, violation=True)
        return operation


def _cut(request: web.BaseRequest, *, orderly: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    held = transport.get_extra_info("socket")
    if held is not None and not orderly:
        # Without lingering the peer gets a reset, not an orderly end.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
