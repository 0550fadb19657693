"""How a plugin's process ends: by Shutdown, by SIGTERM, or because its host is gone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from typing import Final

_logger = logging.getLogger(__name__)

_PARENT_LOOK_SECONDS: Final = 0.5

#: From being told to end to ending without ceremony. Hosts kill after 2 seconds anyway.
_PATIENCE_SECONDS: Final = 10.0


class Ending:
    """Told once, from anywhere; everything that runs for long waits for it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        self._loop.add_signal_handler(signal.SIGTERM, self.begin, "SIGTERM")

    @property
    def begun(self) -> bool:
        """The process is about to end."""
        return self._told.is_set()

    def begin(self, why: str) -> None:
        """End the process, on the loop's own thread."""
        if not self.begun:
            _logger.debug("stopping: %s", why)
            self._told.set()
            end_by_force_after(_PATIENCE_SECONDS)

    def begin_from_thread(self, why: str) -> None:
        """End the process, from another thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.begin, why)

    async def wait(self) -> None:
        """Until the process is to end."""
        await self._told.wait()


def end_by_force_after(seconds: float) -> None:
    """Leave no plugin behind whose loop or whose threads hang."""

    def force() -> None:
        time.sleep(seconds)
        os._exit(1)

    threading.Thread(target=force, name="dayfly-force", daemon=True).start()


def watch_parent(ending: Ending, parent: int) -> None:
    """End when the process that started this one is gone, however it went.

    Looking costs nothing worth counting; PR_SET_PDEATHSIG would tell at once, but of the
    thread that started us, and costs the import of ctypes.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_LOOK_SECONDS)
        ending.begin_from_thread("the host is gone")
        time.sleep(_PATIENCE_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="dayfly-parent", daemon=True).start()
