"""Events wake the watch. They are never the truth, and their failure is never the end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from dayfly.contract.errors import DayflyError, NotServed
from dayfly.jobs.timing import Backoff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from dayfly.jobs.provider import Provider
    from dayfly.jobs.timing import Timing

_log = logging.getLogger("dayfly.jobs")


class Wakes:
    """Listens to a provider's events, again after every break.

    Attributes:
        up: Events come, as far as is known; without them the looks must be closer.
    """

    def __init__(
        self, provider: Provider, timing: Timing, changed: Callable[[str | None], None]
    ) -> None:
        self.up = False
        self._provider = provider
        self._timing = timing
        self._changed = changed

    async def run(self) -> None:
        """Pass on what changed: a handle's id, or None where it may be anything."""
        backoff = Backoff(self._timing, float("inf"))
        clock = asyncio.get_running_loop().time
        while self._provider.events is not None:
            began = clock()
            source = cast("AsyncGenerator[str, None]", self._provider.events.events(()))
            try:
                async with aclosing(source) as events:
                    self.up = True
                    async for handle_id in events:
                        self._changed(handle_id)
            except NotServed:
                return
            except DayflyError as error:
                _log.debug("events of %s broke off: %s", self._provider.name, error)
            finally:
                self.up = False
            # What changed meanwhile was told to nobody.
            self._changed(None)
            if clock() - began > self._timing.backoff_max:
                backoff.succeeded()
            await asyncio.sleep(backoff.failed(clock()) or self._timing.backoff_max)
