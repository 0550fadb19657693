"""The calls of the Docker Engine API that a job needs, one method each.

Paths carry no version: the engine then speaks its own newest, and what is used here has
been the same since 1.41.
"""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from dayfly.contract.errors import FailedPrecondition, InvalidField, ProviderFailed
from dayfly.providers.docker.answers import Answer, ByteStream
from dayfly.providers.docker.chunked import ChunkedStream
from dayfly.providers.docker.errors import from_status, from_transport
from dayfly.providers.docker.http import ANSWER_SECONDS, FAILURES, Connections, Request
from dayfly.providers.docker.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.providers.docker.contexts import Endpoint
    from dayfly.providers.docker.http import Response

OLDEST_API: Final = (1, 41)
FIRST_API_WITH_NEWLINES: Final = (1, 42)
_MAX_WORDS: Final = 64 * 1024
_MAX_ANSWER: Final = 64 * 1024 * 1024


class Engine:
    """A connection pool to one engine."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._tls = tls_context(endpoint) if endpoint.tls else None
        self._connections = Connections(endpoint, self._tls)
        self.api_version = ""

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        self._connections.close()

    async def inspect(self, container: str) -> dict[str, Any] | None:
        """One container, or None where there is none."""
        answer = await self._call("GET", f"/containers/{_part(container)}/json", known=(404,))
        return None if answer.status == 404 else answer.document()

    async def list_labelled(self, *labels: str) -> list[dict[str, Any]]:
        """Containers, ended ones too, that carry all these labels."""
        query = {"all": "1", "filters": json.dumps({"label": list(labels)})}
        answer = await self._call("GET", "/containers/json", query)
        rows: list[dict[str, Any]] = answer.document()
        return rows

    async def create(self, name: str, body: Mapping[str, Any], platform: str) -> Answer:
        """Create a container; any refusal is the caller's to explain."""
        query = {"name": name} | ({"platform": platform} if platform else {})
        return await self._call("POST", "/containers/create", query, body=body, any_status=True)

    async def start(self, container: str) -> Answer:
        """Start a container; any refusal is the caller's to explain."""
        path = f"/containers/{_part(container)}/start"
        return await self._call("POST", path, any_status=True)

    async def attach(self, container: str) -> ByteStream:
        """The multiplexed output from now on, until the container ends."""
        query = {"stream": "1", "stdout": "1", "stderr": "1"}
        return await self._open("POST", f"/containers/{_part(container)}/attach", query)

    async def logs(self, container: str, *, follow: bool) -> ChunkedStream:
        """The multiplexed output as it was kept, each entry with its time in front."""
        query = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": str(int(follow))}
        path = f"/containers/{_part(container)}/logs"
        target = f"{path}?{urlencode(query)}"
        stream = await ChunkedStream.get(self.endpoint, self._tls, target)
        if stream.status != 200:
            answer = Answer(stream.status, await stream.whole(_MAX_WORDS))
            await stream.aclose()
            raise from_status(answer.status, answer.words, f"GET {path}")
        return stream

    async def rename(self, container: str, name: str) -> bool:
        """Rename; False where there is none of that name, or the new name is taken or its own."""
        path = f"/containers/{_part(container)}/rename"
        return (await self._call("POST", path, {"name": name}, known=(400, 404, 409))).status == 204

    async def stop(self, container: str, grace_seconds: float) -> bool:
        """Stop and wait for it; False where it had ended, or never ran, already."""
        path = f"/containers/{_part(container)}/stop"
        seconds = grace_seconds + ANSWER_SECONDS
        return (await self._call("POST", path, known=(304, 404), seconds=seconds)).status == 204

    async def wait(self, container: str) -> None:
        """Return once the container does not run."""
        await self._call("POST", f"/containers/{_part(container)}/wait", known=(404,))

    async def remove(self, container: str, *, force: bool = False) -> Answer:
        """Remove with its anonymous volumes; gone already, or going, is fine."""
        query = {"v": "1", "force": str(int(force))}
        path = f"/containers/{_part(container)}"
        return await self._call("DELETE", path, query, known=(404, 409))

    async def events(self, filters: Mapping[str, list[str]]) -> ByteStream:
        """Events from now on."""
        return await self._open("GET", "/events", {"filters": json.dumps(filters)})

    async def image(self, reference: str) -> dict[str, Any] | None:
        """An image that the engine has, or None."""
        answer = await self._call("GET", f"/images/{quote(reference, safe='/')}/json", known=(404,))
        return None if answer.status == 404 else answer.document()

    async def pull(self, query: Mapping[str, str], auth: str) -> ByteStream | Answer:
        """Start a pull: a stream of progress, or the refusal."""
        headers = {"X-Registry-Auth": auth} if auth else {}
        path = "/images/create"
        response = await self._send("POST", path, query, headers=headers)
        if response.status == 200:
            return ByteStream(response, self.endpoint, f"POST {path}")
        return await self._whole(response, f"POST {path}")

    async def info(self) -> dict[str, Any]:
        """What the engine says of itself."""
        document: dict[str, Any] = (await self._call("GET", "/info")).document()
        return document

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        known: tuple[int, ...] = (),
        any_status: bool = False,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        response = await self._send(
            method,
            path,
            query or {},
            content=b"" if body is None else json.dumps(body).encode(),
            headers={} if body is None else {"Content-Type": "application/json"},
            seconds=seconds,
        )
        answer = await self._whole(response, f"{method} {path}")
        if not (any_status or answer.status < 300 or answer.status in known):
            raise from_status(answer.status, answer.words, f"{method} {path}")
        return answer

    async def _open(self, method: str, path: str, query: Mapping[str, str]) -> ByteStream:
        # Such a stream ends with its connection.
        response = await self._send(method, path, query, headers={"Connection": "close"})
        if response.status != 200:
            answer = await self._whole(response, f"{method} {path}")
            raise from_status(answer.status, answer.words, f"{method} {path}")
        return ByteStream(response, self.endpoint, f"{method} {path}")

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        content: bytes = b"",
        headers: Mapping[str, str],
        seconds: float | None = None,
    ) -> Response:
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            response = await self._connections.ask(
                Request(method, target, content=content, headers=headers, seconds=seconds)
            )
        except FAILURES as error:
            raise from_transport(error, self.endpoint, f"{method} {path}") from error
        try:
            self._learn_version(response)
        except FailedPrecondition:
            response.close()
            raise
        return response

    async def _whole(self, response: Response, tried: str) -> Answer:
        body = bytearray()
        try:
            async with aclosing(response.chunks()) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) > _MAX_ANSWER:
                        raise ProviderFailed(f"{tried}: the answer is over {_MAX_ANSWER} bytes")
        except FAILURES as error:
            raise from_transport(error, self.endpoint, tried) from error
        finally:
            response.close()
        return Answer(response.status, bytes(body))

    @property
    def loses_newlines(self) -> bool:
        """Its "local" log driver drops the newline after a line of over 16 KiB."""
        return _version(self.api_version) < FIRST_API_WITH_NEWLINES

    def _learn_version(self, response: Response) -> None:
        if self.api_version:
            return
        self.api_version = response.headers.get(b"api-version", b"").decode(errors="replace")
        if self.api_version and _version(self.api_version) < OLDEST_API:
            raise FailedPrecondition(
                f"the engine at {self.endpoint.url} speaks API {self.api_version}; "
                "needed is 1.41 or later",
                advice="Upgrade it to Docker Engine 20.10 or later.",
            )


def _version(text: str) -> tuple[int, ...]:
    """A version to compare; what is none counts as the newest."""
    parts = text.split(".")
    return tuple(map(int, parts)) if all(map(str.isdecimal, parts)) else (99,)


def is_reference(text: str) -> bool:
    """Whether a container can have this id or name."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", text) is not None


def _part(container: str) -> str:
    """A container's id or name as one part of a path.

    Raises:
        InvalidField: It is neither; ids come from handles, which are anybody's.
    """
    if not is_reference(container):
        raise InvalidField(f"{container!r} is no container's id or name", field="handle.id")
    return container
