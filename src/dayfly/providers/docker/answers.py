"""What comes back from the engine: a whole answer, or a body read as it comes."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import ProviderFailed
from dayfly.providers.docker.errors import from_transport
from dayfly.providers.docker.http import FAILURES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dayfly.providers.docker.contexts import Endpoint
    from dayfly.providers.docker.http import Response


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    Attributes:
        status: HTTP status.
        body: As it came.
    """

    status: int
    body: bytes

    @property
    def words(self) -> str:
        """The engine's message, or what stands in its place."""
        try:
            document = json.loads(self.body)
        except ValueError:
            document = None
        match document:
            case {"message": str(message)}:
                return message.strip()
        return self.body[:500].decode(errors="replace").strip() or "nothing"

    def document(self) -> Any:
        """The body as JSON.

        Raises:
            ProviderFailed: It is none.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ProviderFailed(f"the engine's answer is no JSON: {self.body[:200]!r}") from error


class ByteStream:
    """A body that is read as it comes. It must be closed."""

    def __init__(self, response: Response, endpoint: Endpoint, tried: str) -> None:
        self._response = response
        self._endpoint = endpoint
        self._tried = tried

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Pieces of up to 64 KiB, as they arrive, until the engine closes."""
        try:
            async with aclosing(self._response.chunks()) as chunks:
                async for chunk in chunks:
                    yield chunk
        except FAILURES as error:
            raise from_transport(error, self._endpoint, self._tried) from error

    async def documents(self) -> AsyncGenerator[dict[str, Any], None]:
        """JSON objects, one a line."""
        rest = b""
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)
        if rest.strip():
            yield json.loads(rest)

    async def aclose(self) -> None:
        """Let the connection go."""
        self._response.close()
