"""The live line on a terminal's stderr: what the job does and for how long."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from dayfly.cli.printing import printable, sentence, write_all

if TYPE_CHECKING:
    from types import TracebackType

    from dayfly.cli.sink import Sink
    from dayfly.contract.jobs import Progress

_CLEAR = b"\r\x1b[K"
_TICK_SECONDS = 0.2
#: Once the job prints, the line comes back only when it has been quiet for so long.
_QUIET_SECONDS = 2.0
#: A job that is over at once needs no line.
_PATIENCE_SECONDS = 0.3
#: Some terminals do not say how wide they are.
_USUAL_WIDTH = 80


class ProgressLine:
    """Draws itself through the sink, so that it never lands inside the job's output.

    Attributes:
        enabled: stderr is a terminal that can take a line back.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.enabled = os.isatty(2) and os.environ.get("TERM") != "dumb"
        self._began = time.monotonic()
        self._printed = self._began - _QUIET_SECONDS + _PATIENCE_SECONDS
        self._text = "starting"
        self._shown = False
        self._at_line_start = True
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self.enabled:
            self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.wait([self._ticking])
            self.clear()
            with suppress(OSError):  # Whoever wrote the output has told of it.
                await self._sink.flush()

    def launching(self, progress: Progress) -> None:
        """Take over what the provider says of a launch."""
        words = " ".join(filter(None, (progress.phase, progress.detail)))
        if progress.done is not None and progress.total:
            words += f" {progress.done / progress.total:.0%} of {progress.total / 1e6:.0f} MB"
        self._text = words

    def show(self, text: str) -> None:
        """What the job does now."""
        self._text = text

    def tell(self, text: str) -> None:
        """Say something on stderr that stays there."""
        if self.enabled and not self._sink.failed:
            self.clear()
            self._sink.write_soon(2, sentence(text))
        else:
            write_all(2, sentence(text))

    def before_output(self, descriptor: int, data: bytes) -> None:
        """Get out of the way of the job's own bytes."""
        if not self.enabled or not os.isatty(descriptor):
            return
        self.clear()
        self._printed = time.monotonic()
        self._at_line_start = data.endswith(b"\n")

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self._shown:
            self._sink.write_soon(2, _CLEAR)
            self._shown = False

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            quiet = time.monotonic() - self._printed >= _QUIET_SECONDS
            if quiet and self._at_line_start:
                self._draw()

    def _draw(self) -> None:
        elapsed = int(time.monotonic() - self._began)
        minutes, seconds = divmod(elapsed, 60)
        line = printable(f"{self._text}  {minutes}:{seconds:02d}").replace("\n", " ")
        line = line[: _width() - 1]
        shown = line if os.environ.get("NO_COLOR") else f"\x1b[2m{line}\x1b[0m"
        self._sink.write_soon(2, _CLEAR + shown.encode())
        self._shown = True


def _width() -> int:
    try:
        return os.get_terminal_size(2).columns or _USUAL_WIDTH
    except OSError:
        return _USUAL_WIDTH
