"""What a job printed so far, both streams as one, and who waits for more."""

from __future__ import annotations

import asyncio
import codecs

from tests.emulators.digitalocean import clock


class Output:
    """Bytes in the order in which they came.

    Attributes:
        data: All of them.
        closed_at: When the last came, in seconds since 1970; None before that.
    """

    def __init__(self, prefix: str = "") -> None:
        """Begin with nothing; a ``prefix`` stands in front of each line, with the time."""
        self.data = bytearray()
        self.closed_at: float | None = None
        self._prefix = prefix
        self._more = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Take more, and wake all who wait."""
        if not data:
            return
        self.data += self._prefixed(data) if self._prefix else data
        self._wake()

    def close(self) -> None:
        """There will be no more."""
        if self.closed_at is None:
            self.closed_at = clock.now()
            self._wake()

    async def beyond(self, position: int) -> bool:
        """Wait until there is more than that; False where there will never be."""
        while len(self.data) <= position:
            if self.closed_at is not None:
                return False
            await self._more.wait()
        return True

    def text(self) -> bytes:
        """All of it as text can carry it."""
        return codecs.decode(bytes(self.data), errors="replace").encode()

    def _prefixed(self, data: bytes) -> bytes:
        stamp = f"{self._prefix} {clock.fine(clock.now())} ".encode()
        lines = data.splitlines(keepends=True)
        goes_on = bool(self.data) and not self.data.endswith(b"\n")
        return b"".join(
            line if goes_on and not place else stamp + line for place, line in enumerate(lines)
        )

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()
