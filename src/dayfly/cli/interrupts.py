"""Ctrl-C, twice, and SIGTERM, as events that a command can wait for."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Self

from dayfly.cli.exits import INTERRUPTED, TERMINATED

if TYPE_CHECKING:
    from types import TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered, the first signal asks for the stop, and a Ctrl-C after it to leave.

    Attributes:
        stop: Set by the first signal.
        leave: Set by a later Ctrl-C.
        exit_code: What a job that was cancelled by the first signal counts as.
    """

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.leave = asyncio.Event()
        self.exit_code = INTERRUPTED
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            # A signal that is ignored on purpose (nohup) stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._loop.add_signal_handler(number, self._take, number)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number in _SIGNALS:
            self._loop.remove_signal_handler(number)

    def _take(self, number: signal.Signals) -> None:
        if not self.stop.is_set():
            self.exit_code = INTERRUPTED if number is signal.SIGINT else TERMINATED
            self.stop.set()
        elif number is signal.SIGINT:
            self.leave.set()
