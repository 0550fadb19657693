"""One poller for all jobs of a provider: batched, paced, woken by events, never one per job."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, NotServed, Transient
from dayfly.contract.jobs import JobState, Reason
from dayfly.jobs.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.contract.provider import Description
    from dayfly.jobs.provider import Provider

#: Nothing but failures for this long ends the watch.
PATIENCE_SECONDS = 15 * 60.0

#: A job is looked at again after this part of its age, within the provider's bounds.
_PART_OF_AGE = 0.15

#: Looks that are due this soon go along in the same call.
_TOGETHER = 0.25


class Watched:
    """One job under watch.

    Attributes:
        handle: The job.
        ended: Its end, once that is known; or why it cannot be.
    """

    __slots__ = ("born", "due", "ended", "handle", "latest")

    def __init__(self, handle: JobHandle, now: float, ended: asyncio.Future[JobStatus]) -> None:
        self.handle = handle
        self.born = now
        self.due = now
        self.ended = ended
        self.latest: JobStatus | None = None


class Watch:
    """Looks at every job that somebody waits for, until it has ended."""

    def __init__(self, provider: Provider, description: Description) -> None:
        self._provider = provider
        self._description = description
        self._watched: dict[str, Watched] = {}
        self._changed = asyncio.Event()
        self._backoff = Backoff(PATIENCE_SECONDS)
        self._next_call = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def ended(self, handle: JobHandle) -> asyncio.Future[JobStatus]:
        """The job's end, to come. Await it shielded: others may wait for the same one."""
        watched = self._watched.get(handle.id)
        if watched is None:
            loop = asyncio.get_running_loop()
            watched = Watched(handle, loop.time(), loop.create_future())
            self._watched[handle.id] = watched
            self._start()
            self._changed.set()
        return watched.ended

    def latest(self, handle: JobHandle) -> JobStatus | None:
        """What the last look saw, where there was one."""
        watched = self._watched.get(handle.id)
        return watched.latest if watched else None

    def look_now(self, handle_id: str) -> None:
        """Something happened to this job: do not wait for its turn."""
        if watched := self._watched.get(handle_id):
            watched.due = 0.0
            self._changed.set()

    def fail(self, handle: JobHandle, error: DayflyError) -> None:
        """Whoever waits for this job is told why waiting makes no sense any more."""
        watched = self._watched.pop(handle.id, None)
        if watched is not None and not watched.ended.done():
            watched.ended.set_exception(error)
            # Looked at once, so that nobody is warned of a failure nobody waits for.
            watched.ended.exception()

    async def close(self) -> None:
        """Stop looking; whoever still waits is cancelled."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for watched in self._watched.values():
            watched.ended.cancel()

    def _start(self) -> None:
        if self._tasks:
            return
        self._tasks.append(asyncio.create_task(self._look_on()))
        if self._provider.events is not None:
            self._tasks.append(asyncio.create_task(self._listen()))

    async def _look_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            open_jobs = [w for w in self._watched.values() if not w.ended.done()]
            if not open_jobs:
                await self._news(None)
                continue
            first = min(watched.due for watched in open_jobs)
            if (pause := first - loop.time()) > 0:
                await self._news(pause)
                continue
            now = loop.time()
            due = [w for w in open_jobs if w.due <= now + self._interval(w, now) * _TOGETHER]
            for batch in _batches(due, self._description.statuses_per_call):
                await self._look(batch)

    async def _news(self, seconds: float | None) -> None:
        """Wait for the time, or until something has changed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    async def _look(self, batch: Sequence[Watched]) -> None:
        loop = asyncio.get_running_loop()
        await self._pace()
        try:
            statuses = await self._provider.observer.statuses([w.handle for w in batch])
        except Transient as error:
            try:
                pause = self._backoff.next_pause(error)
            except Transient:
                self._give_up(batch, error)
                return
            for watched in batch:
                watched.due = loop.time() + pause
            return
        except DayflyError as error:
            self._give_up(batch, error)
            return
        self._backoff.reset()
        now = loop.time()
        for watched, status in zip(batch, statuses, strict=True):
            self._saw(watched, status, now)

    def _saw(self, watched: Watched, status: JobStatus, now: float) -> None:
        watched.latest = status
        invisible = status.state is JobState.UNKNOWN and not status.final
        if invisible and now - watched.born >= self._description.visibility_grace_seconds:
            status = replace(
                status,
                reason=Reason.LOST,
                message=status.message or "the provider has no record of this job",
            )
        if status.final:
            watched.ended.set_result(status)
        else:
            watched.due = now + self._interval(watched, now) * random.uniform(0.85, 1.15)  # noqa: S311 - jitter

    def _interval(self, watched: Watched, now: float) -> float:
        wanted = (now - watched.born) * _PART_OF_AGE
        return min(
            max(wanted, self._description.poll_min_seconds), self._description.poll_max_seconds
        )

    async def _pace(self) -> None:
        rate = self._description.calls_per_second
        if rate <= 0:
            return
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(self._next_call - now, 0.0))
        self._next_call = max(self._next_call, now) + 1.0 / rate

    def _give_up(self, batch: Sequence[Watched], error: DayflyError) -> None:
        for watched in batch:
            self.fail(watched.handle, error)

    async def _listen(self) -> None:
        """Take events for as long as the provider sends them; polling goes on beside it."""
        events = self._provider.events
        backoff = Backoff(PATIENCE_SECONDS)
        while events is not None:
            try:
                async for handle_id in events.events([]):
                    backoff.reset()
                    self.look_now(handle_id)
                pause = backoff.next_pause(Transient("the events ended"))
            except NotServed:
                return
            except Transient as error:
                try:
                    pause = backoff.next_pause(error)
                except Transient:
                    return
            except DayflyError:
                # Events only wake; why they fail, the next look tells better.
                return
            await asyncio.sleep(pause)


def _batches(watched: Sequence[Watched], size: int) -> Iterator[list[Watched]]:
    rest = iter(watched)
    while batch := list(islice(rest, size)):
        yield batch
