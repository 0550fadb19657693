"""What all jobs of one provider share, made once the provider has described itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DayflyError
from dayfly.contract.provider import Description
from dayfly.jobs.looks import Looks
from dayfly.jobs.retry import retried
from dayfly.jobs.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dayfly.jobs.job import Job
    from dayfly.jobs.ledger import Ledger
    from dayfly.jobs.provider import Provider
    from dayfly.jobs.timing import Timing

_log = logging.getLogger("dayfly.jobs")

_LAUNCHES_AT_ONCE: Final = 32


@dataclass(eq=False)
class Engine:
    """The parts, and the work that must not end with whoever began it.

    Attributes:
        owned: By handle id, jobs that are stopped when our own task is cancelled.
        launching: Turns for launches: more at once would only wait at the provider, each
            with a call of its own held open.
    """

    provider: Provider
    description: Description
    looks: Looks
    watch: Watch
    ledger: Ledger
    timing: Timing
    owned: dict[str, Job] = field(default_factory=dict)
    launching: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_LAUNCHES_AT_ONCE)
    )
    _stops: set[asyncio.Task[object]] = field(default_factory=set)

    async def see_through(self, stop: Coroutine[object, object, object], what: str) -> None:
        """Do a stop to its end, also when the caller is cancelled again.

        A failure is said in the log: the caller is about to raise its own cancellation.
        """
        task = self.begin(stop)
        try:
            await asyncio.shield(task)
        except DayflyError as error:
            _log.warning("%s: %s", what, error.message)

    def begin(self, stop: Coroutine[object, object, object]) -> asyncio.Task[object]:
        """Start work that is kept alive until ``close``."""
        task = asyncio.get_running_loop().create_task(_result(stop))
        self._stops.add(task)
        task.add_done_callback(self._stops.discard)
        return task

    async def stop_owned(self) -> None:
        """Stop every job that belongs to the task that is being cancelled."""
        stops = [
            asyncio.create_task(self.see_through(job.cancel(), f"{job.name} was not stopped"))
            for job in self.owned.values()
        ]
        if stops:
            await asyncio.wait(stops)

    async def close(self) -> None:
        """End all that runs in the background."""
        for job in self.owned.values():
            job.release()
        stops = tuple(self._stops)
        for task in stops:
            task.cancel()
        if stops:
            await asyncio.wait(stops)
        await self.watch.close()


async def make_engine(provider: Provider, ledger: Ledger, timing: Timing) -> Engine:
    """Ask the provider for its description, and build on it.

    Raises:
        DayflyError: It cannot be asked.
    """
    description = await _describe(provider, timing)
    looks = Looks(provider, description)
    return Engine(
        provider=provider,
        description=description,
        looks=looks,
        watch=Watch(provider, description, looks, timing),
        ledger=ledger,
        timing=timing,
    )


async def _describe(provider: Provider, timing: Timing) -> Description:
    if not provider.launches:
        return Description(provider=provider.name, version="", honours=frozenset())
    return await retried(
        provider.submitter.describe,
        tried=f"to ask {provider.name!r} what it can do",
        timing=timing,
        deadline=timing.launch_deadline,
    )


async def _result(stop: Coroutine[object, object, object]) -> object:
    return await stop
