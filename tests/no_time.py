"""An event loop in which a pause takes no time, so that no busy machine makes one too long."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class NoTime(asyncio.SelectorEventLoop):
    """Its clock stands while anything is done, and jumps to the next timer when nothing is.

    For tests without sockets or processes: nobody would wait for what comes from outside.
    What goes on in threads is waited for, and takes no time either.
    """

    def __init__(self) -> None:
        super().__init__(_Selector(self))
        self._now = 0.0
        self._in_threads = 0

    def time(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> bool:
        """Unless there is something to wait for."""
        if self._in_threads:
            return False
        self._now += seconds
        return True

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self._in_threads += 1
        future.add_done_callback(self._came_back)
        return future

    def _came_back(self, _: asyncio.Future[Any]) -> None:
        self._in_threads -= 1

    async def shutdown_default_executor(self, *args: Any) -> None:
        # Threads are joined in a thread, which the loop does not start by the method above.
        self._in_threads += 1
        await super().shutdown_default_executor(*args)


class _Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    def __init__(self, loop: NoTime) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if not timeout or timeout < 0:
            return list(super().select(timeout))
        if ready := super().select(0):
            return list(ready)
        return [] if self._loop.pass_time(timeout) else list(super().select(None))
