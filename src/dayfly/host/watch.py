"""The asyncio side of a plugin's process: its two pipes, its first line, its end."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, InvalidField, ProviderFailed
from dayfly.contract.handshake import MAX_LINE_BYTES, HandshakeLine, parse_handshake_line
from dayfly.host.output import LineSplitter, PluginLog

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.host.process import PluginProcess

_LAST_WORDS_SECONDS = 0.5
_LINE_ADVICE = (
    "A plugin prints nothing on stdout before its handshake. If the program runs by hand, "
    "it may not be a dayfly or go-plugin plugin at all."
)


class PluginDied(ProviderFailed):
    """The plugin's process ended: every call to it fails in this way from then on."""


class ProcessWatch:
    """Reads a plugin's pipes and learns of its death; belongs to one event loop.

    Attributes:
        name: The plugin's name.
        log: What it printed.
        exited: Set once the process has ended.
    """

    def __init__(self, process: PluginProcess) -> None:
        self._process = process
        self.name = process.plugin.name
        self.log = PluginLog(self.name)
        self.exited = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._first_line: asyncio.Future[bytes] = self._loop.create_future()
        self._transports: list[asyncio.BaseTransport] = []
        self._stderr = _Stderr(LineSplitter(self.log))
        self._on_exit: list[Callable[[], None]] = []
        self._waiter = threading.Thread(
            target=self._wait, name=f"dayfly-{self.name}-exit", daemon=True
        )

    async def start(self) -> None:
        """Attach to the pipes. What was printed before is read first."""
        process = self._process
        stdout = _Stdout(self._first_line, LineSplitter(self.log, "stdout: "))
        if process.first_line:
            self._first_line.set_result(process.first_line.encode())
        for protocol, pipe in ((stdout, process.stdout), (self._stderr, process.stderr)):
            if pipe is None:
                continue
            transport, _ = await self._loop.connect_read_pipe(lambda p=protocol: p, pipe)  # type: ignore[misc]
            self._transports.append(transport)
        self._waiter.start()

    def on_exit(self, call: Callable[[], None]) -> None:
        """Have ``call`` called, on the loop, when the process ends."""
        self._on_exit.append(call)

    async def handshake(self, seconds: float) -> HandshakeLine:
        """The plugin's line.

        Raises:
            ProviderFailed: It did not come in time, is none, or the process ended.
        """
        dead = asyncio.create_task(self.exited.wait())
        try:
            await asyncio.wait(
                (dead, self._first_line), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            dead.cancel()
        if not self._first_line.done():
            if self.exited.is_set():
                raise await self.death("before its handshake")
            raise self.failure(f"printed no handshake line within {seconds:g} s", _LINE_ADVICE)
        try:
            return parse_handshake_line(self._first_line.result().decode(errors="replace"))
        except EOFError as error:
            # Most often it closed its stdout by ending, and how it ended says more.
            await self.last_words()
            if self.exited.is_set():
                raise await self.death("before its handshake") from None
            raise self.failure(str(error), _LINE_ADVICE) from None
        except InvalidField as error:
            await self.last_words()
            what = f"printed a line that is no handshake: {error.message}"
            raise self.failure(what, _LINE_ADVICE, field=error.field) from None

    async def last_words(self) -> None:
        """Give a process that is ending a moment to be seen to, and to be heard out."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self.exited.wait()
                await self._stderr.ended.wait()

    async def death(self, when: str, advice: str = "") -> PluginDied:
        """The error that says how the process ended, with its last lines."""
        await self.last_words()
        return PluginDied(self._told(f"{_ending(self._process.returncode)} {when}"), advice=advice)

    def failure(self, what: str, advice: str = "", *, field: str = "") -> DayflyError:
        """An error of this plugin, with its last lines."""
        return ProviderFailed(self._told(what), advice=advice, field=field)

    def close(self) -> None:
        """Kill what is left of the plugin and let go of its pipes."""
        for transport in self._transports:
            transport.close()
        if not self._first_line.cancel() and not self._first_line.cancelled():
            self._first_line.exception()  # Whoever closes has an error of their own to tell.
        self._process.close()
        if self._waiter.ident is not None:
            self._waiter.join()

    def _told(self, what: str) -> str:
        tail = self.log.tail()
        said = f"\nIts last output:\n{tail}" if tail else ""
        return f"plugin {self.name!r} (pid {self._process.pid}) {what}{said}"

    def _wait(self) -> None:
        self._process.wait()
        with suppress(RuntimeError):  # The loop was closed first; nobody waits any more.
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        self.exited.set()
        for call in self._on_exit:
            call()


class _Stdout(asyncio.Protocol):
    """The first line is the handshake; whatever follows is drained into the log."""

    def __init__(self, first: asyncio.Future[bytes], rest: LineSplitter) -> None:
        self._first = first
        self._rest = rest
        self._start = b""

    def data_received(self, data: bytes) -> None:
        if self._first.done():
            self._rest.feed(data)
            return
        self._start += data
        line, newline, rest = self._start.partition(b"\n")
        if len(line) > MAX_LINE_BYTES:
            self._fail(f"printed {MAX_LINE_BYTES} bytes on stdout and no handshake line in them")
        elif newline:
            self._first.set_result(line)
            self._rest.feed(rest)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._rest.end()
        if not self._first.done():
            half = f" after {self._start!r}" if self._start else ""
            self._fail(f"closed its stdout before its handshake line ended{half}"[:300])

    def _fail(self, what: str) -> None:
        self._first.set_exception(EOFError(what))


class _Stderr(asyncio.Protocol):
    def __init__(self, lines: LineSplitter) -> None:
        self._lines = lines
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._lines.feed(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lines.end()
        self.ended.set()


def _ending(returncode: int | None) -> str:
    if returncode is None:
        return "closed its socket"
    if returncode >= 0:
        return f"exited with code {returncode}"
    try:
        return f"was killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was killed by signal {-returncode}"
