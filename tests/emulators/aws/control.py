"""What a test asks of an emulator that runs in another process.

``GET`` and ``POST /_emulator/knobs`` (the body holds what changes), ``POST /_emulator/reset``
(all is forgotten; the body holds what is not the default), and ``GET`` of ``/_emulator/calls``,
``/_emulator/violations``, ``/_emulator/requests`` and ``/_emulator/tasks``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from tests.emulators.aws.emulator import Emulator

PREFIX: Final = "/_emulator/"


async def handle(emulator: Emulator, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request."""
    name = request.path.removeprefix(PREFIX)
    if request.method == "POST" and name in {"knobs", "reset"}:
        act = emulator.change if name == "knobs" else emulator.reset
        try:
            act(**await request.json())
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        name = "knobs"
    answer = _read(emulator, name)
    if answer is None:
        return web.json_response({"error": f"no {request.path}"}, status=404)
    return web.json_response(answer)


def _read(emulator: Emulator, name: str) -> Any:
    match name:
        case "knobs":
            return emulator.knobs.as_json()
        case "calls":
            return dict(emulator.calls)
        case "violations":
            return emulator.violations
        case "requests":
            return list(emulator.requests)
        case "tasks":
            return emulator.tasks()
    return None
