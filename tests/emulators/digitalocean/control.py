"""What a test asks of an emulator that runs in another process.

``GET`` and ``POST /_emulator/knobs`` (the body holds what changes), ``POST /_emulator/reset``
(all is forgotten; the body holds what is not the default), and ``GET`` of ``/_emulator/calls``,
``/_emulator/violations``, ``/_emulator/deviations``, ``/_emulator/requests`` and
``/_emulator/apps``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.digitalocean.emulator import Emulator

PREFIX: Final = "/_emulator/"


async def handle(emulator: Emulator, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request."""
    name = request.path.removeprefix(PREFIX)
    if request.method == "POST" and name in {"knobs", "reset"}:
        try:
            changes = await request.json()
            if name == "knobs":
                emulator.change(**changes)
            else:
                await emulator.reset(**changes)
        except (TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        name = "knobs"
    answer = _read(emulator, name)
    if answer is None:
        return web.json_response({"error": f"no {request.path}"}, status=404)
    return web.json_response(answer)


def _read(emulator: Emulator, name: str) -> Any:
    readers: dict[str, Callable[[], Any]] = {
        "knobs": emulator.knobs.as_json,
        "calls": lambda: dict(emulator.calls),
        "violations": lambda: emulator.violations,
        "deviations": lambda: dict(emulator.deviations),
        "requests": lambda: list(emulator.requests),
        "apps": emulator.told,
    }
    return readers[name]() if name in readers else None
