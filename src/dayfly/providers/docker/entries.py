"""The log as the engine kept it, entry by entry, with every byte that the job wrote.

An entry is at most 16 KiB; a longer line is several. Before API 1.42 the engine's "local"
log driver does not give back the newline that ends such a line, so it is put back here.
One case cannot be told apart there: output that ends inside a line of more than 16 KiB
reads as if that line had been ended.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import ProviderFailed, Unavailable
from dayfly.contract.jobs import Stream
from dayfly.providers.docker.frames import STDERR, STDOUT, FrameReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from dayfly.providers.docker.client import Engine

#: (stream, bytes as the job wrote them, the engine's time)
Entry = tuple[Stream, bytes, bytes]

STREAMS: Final = {0: Stream.STDOUT, STDOUT: Stream.STDOUT, STDERR: Stream.STDERR}

#: An entry's time has nine digits of fraction always: this many characters, then a space.
_STAMP: Final = 30
_PIECE: Final = 16 * 1024
_SPACE: Final = ord(" ")


async def read_entries(
    engine: Engine, container: str, *, follow: bool, complete: bool
) -> AsyncGenerator[list[Entry], None]:
    """Groups of entries, as they arrive.

    Args:
        engine: Where the container is.
        container: Its id.
        follow: Stay until it ends.
        complete: It has ended, so that the last entry is the last there will be.
    """
    body = await engine.logs(container, follow=follow)
    reader = FrameReader()
    repair = LostNewlines() if engine.loses_newlines else None
    try:
        async with aclosing(body.chunks()) as chunks:
            async for chunk in chunks:
                entries = [_entry(number, payload) for number, payload in reader.feed(chunk)]
                yield repair.feed(entries) if repair else entries
    finally:
        await body.aclose()
    if reader.torn:
        raise Unavailable(f"the engine cut the output of {container} inside a frame")
    if repair and complete:
        yield list(repair.finish())


def _entry(number: int, payload: bytes) -> Entry:
    if len(payload) <= _STAMP or payload[_STAMP] != _SPACE:
        raise ProviderFailed(f"an entry of the log has no time in front: {payload[:40]!r}")
    return STREAMS[number], payload[_STAMP + 1 :], payload[:_STAMP]


class LostNewlines:
    """Puts back the newline after the last piece of a long line, once it is known to be one."""

    def __init__(self) -> None:
        self._open = {Stream.STDOUT: False, Stream.STDERR: False}
        self._owed: dict[Stream, bytes] = {}

    def feed(self, entries: list[Entry]) -> list[Entry]:
        """The entries, with what was owed before each."""
        whole: list[Entry] = []
        for stream, data, stamp in entries:
            if self._owed and (since := self._owed.pop(stream, None)):
                whole.append((stream, b"\n", since))
            whole.append((stream, data, stamp))
            if data.endswith(b"\n"):
                self._open[stream] = False
            elif len(data) >= _PIECE:
                self._open[stream] = True
            elif self._open[stream]:
                self._open[stream] = False
                self._owed[stream] = stamp
        return whole

    def finish(self) -> Iterator[Entry]:
        """What is owed after the last entry."""
        for stream, stamp in self._owed.items():
            yield stream, b"\n", stamp
        self._owed = {}
