"""The engine's multiplexed streams: frames of eight bytes of header and a payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.errors import ProviderFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = 8
#: The engine writes at most 64 KiB a frame; far beyond that it is no such stream.
MAX_FRAME = 16 * 1024 * 1024
STDOUT, STDERR, SYSTEM = 1, 2, 3


class FrameReader:
    """Takes chunks as they come and gives whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Frames that are complete now: (stream number, payload).

        Raises:
            ProviderFailed: The bytes are no frames, or the engine put an error among them.
        """
        data = self._rest + chunk if self._rest else chunk
        at, end = 0, len(data)
        while end - at >= HEADER:
            stream = data[at]
            size = int.from_bytes(data[at + 4 : at + HEADER], "big")
            if stream > SYSTEM or size > MAX_FRAME:
                raise ProviderFailed(f"the engine's output is not framed: {data[at : at + 32]!r}")
            after = at + HEADER + size
            if after > end:
                break
            payload = data[at + HEADER : after]
            at = after
            if stream == SYSTEM:
                words = payload.decode(errors="replace").strip()
                raise ProviderFailed(f"the engine could not read the output: {words}")
            yield stream, payload
        self._rest = data[at:]

    @property
    def torn(self) -> bool:
        """The stream ended inside a frame."""
        return bool(self._rest)
