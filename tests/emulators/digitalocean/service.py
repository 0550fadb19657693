"""From a request to its answer: credentials, quota, faults, the definition, the operation."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import TYPE_CHECKING, Any

from aiohttp import web
from tests.emulators.digitalocean import control, registry, streams, tracks
from tests.emulators.digitalocean.calls import Call, find_operation
from tests.emulators.digitalocean.conformance import Exchange
from tests.emulators.digitalocean.errors import ApiError
from tests.emulators.digitalocean.faults import refuse
from tests.emulators.digitalocean.operations import OPERATIONS
from tests.emulators.digitalocean.wire import Cut, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.emulators.digitalocean.emulator import Emulator
    from tests.emulators.digitalocean.knobs import Fault


class Service:
    """Answers requests for an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith(control.PREFIX):
            return await control.handle(self._emulator, request)
        try:
            if request.path.startswith((tracks.PREFIX, registry.PREFIX)):
                return await self._beside(request)
            return await self._api(request)
        except Cut as how:
            cut(request, orderly=how.orderly)
            return web.Response(status=500)

    async def _beside(self, request: web.BaseRequest) -> web.StreamResponse:
        """Output and registries: at other hosts, without the API's token."""
        emulator, logs = self._emulator, request.path.startswith(tracks.PREFIX)
        name = request.path.split("/")[2] if logs else registry.operation(request.path)
        emulator.calls[name] += 1
        due = emulator.faults.due(emulator.knobs, "logs" if logs else "registry", name)
        try:
            refuse(emulator.knobs.changed({"tokens": ()}), due, {"Authorization": "Bearer any"})
        except ApiError as error:
            return web.json_response({}, status=error.status, headers=error.headers)
        if logs:
            answer = await streams.serve(emulator.account, request, emulator.violations)
        else:
            answer = registry.serve(emulator.knobs, request, emulator.url)
        await _afterwards(due)
        return answer

    async def _api(self, request: web.BaseRequest) -> web.StreamResponse:
        emulator = self._emulator
        found = find_operation(request.method, request.rel_url.raw_path)
        body = await request.read()
        if found is None:
            emulator.violations.append(f"{request.method} {request.path} is not emulated")
            return _refused(ApiError(404, "no such path"), {})
        operation, path = found
        query = list(request.query.items())
        exchange = Exchange(operation, request.method, request.path, query, body)
        headers: dict[str, str] = {}
        try:
            emulator.calls[operation] += 1
            due = emulator.faults.due(emulator.knobs, operation.partition("_")[0], operation)
            headers = emulator.faults.quota(emulator.knobs)
            refuse(emulator.knobs, due, request.headers)
            self._check(exchange, body)
            call = Call(
                account=emulator.account,
                operation=operation,
                url=f"{emulator.url}{request.path}",
                base=emulator.url,
                path=path,
                query=request.query,
                body=json.loads(body) if body else {},
            )
            answer, status = await self._carry_out(call, due), 200
        except ApiError as error:
            answer, status = {"id": error.id, "message": str(error)}, error.status
            headers |= error.headers
        except Cut:
            raise
        except Exception:  # noqa: BLE001 - a mistake of ours must not pass for the API's answer
            emulator.violations.append(f"emulator: {operation}\n{traceback.format_exc()}")
            answer, status = {"id": "server_error", "message": "the emulator failed"}, 500
        if emulator.knobs.check:
            emulator.complain(exchange.response(status, answer))
        return web.json_response(answer, status=status, headers=headers)

    async def _carry_out(self, call: Call, due: Sequence[Fault]) -> dict[str, Any]:
        emulator = self._emulator
        emulator.requests.append(
            {
                "operation": call.operation,
                "path": dict(call.path),
                "query": list(call.query.items()),
                "body": call.body,
            }
        )
        if latency := emulator.knobs.latency_seconds:
            await asyncio.sleep(latency)
        answer = OPERATIONS[call.operation](call)
        await _afterwards(due)
        return answer

    def _check(self, exchange: Exchange, body: bytes) -> None:
        if not self._emulator.knobs.check:
            return
        try:
            found = exchange.request()
        except ValueError as error:
            found = [f"{exchange.operation}: request: {error}: {body[:80]!r}"]
        if wrong := self._emulator.complain(found):
            raise ApiError(400, "; ".join(wrong))


async def _afterwards(due: Sequence[Fault]) -> None:
    for fault in due:
        if fault.kind == "reset_after":
            raise Cut(orderly=fault.orderly)
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)


def _refused(error: ApiError, headers: dict[str, str]) -> web.Response:
    document = {"id": error.id, "message": str(error)}
    return web.json_response(document, status=error.status, headers=headers)
