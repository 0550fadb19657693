"""Output itself: the live websocket, and archived files. Neither is part of the API."""

from __future__ import annotations

import asyncio
import codecs
import json
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, web
from tests.emulators.digitalocean import tracks
from tests.emulators.digitalocean.wire import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulators.digitalocean.account import Account
    from tests.emulators.digitalocean.runs import Run


async def serve(
    account: Account, request: web.BaseRequest, violations: list[str]
) -> web.StreamResponse:
    """Answer for one address that was given out."""
    what, run_id, *number = request.path.removeprefix(tracks.PREFIX).split("/")
    if "Authorization" in request.headers:
        violations.append(f"{what}: the API's token was sent along to where output is")
    run = account.runs.get(run_id)
    if run is None or run.app not in account.apps:
        return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
    if not tracks.is_good(run, what, request.query):
        return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
    if what == "archive":
        return web.Response(body=tracks.files(run)[int(number[0])], content_type="text/plain")
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    sending = asyncio.create_task(_send(run, request, socket))
    listening = asyncio.create_task(_listen(socket, violations))
    try:
        await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, listening):
            task.cancel()
        await asyncio.gather(sending, listening, return_exceptions=True)
    return socket


async def _listen(socket: web.WebSocketResponse, violations: list[str]) -> None:
    """Answer pings, and notice that the other side went."""
    async for message in socket:
        said = f"live: the client sent {message.type.name}, and nothing is expected"
        violations.append(said)


async def _send(run: Run, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
    knobs, output = run.knobs, run.output
    follow = request.query.get("follow") == "true" or not knobs.live_ends_without_follow
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    position = 0
    while (follow and await output.beyond(position)) or len(output.data) > position:
        cutting = bool(knobs.live_cut_after_bytes) and run.cuts < knobs.live_cuts
        size = min(len(output.data) - position, knobs.live_frame_bytes)
        if cutting:
            size = min(size, knobs.live_cut_after_bytes - position)
        data = bytes(output.data[position : position + size])
        position += size
        for text in _frames(decoder.decode(data), by_line=knobs.log_prefix):
            await socket.send_str(json.dumps({"data": text}))
        if cutting and position == knobs.live_cut_after_bytes:
            run.cuts += 1
            if knobs.live_cut_code:
                await socket.close(code=knobs.live_cut_code)
            else:
                cut(request, orderly=False)
            return
    if rest := decoder.decode(b"", final=True):
        await socket.send_str(json.dumps({"data": rest}))
    await socket.close(code=WSCloseCode.OK)


def _frames(text: str, *, by_line: bool) -> Iterator[str]:
    if by_line:
        yield from text.splitlines(keepends=True)
    elif text:
        yield text
