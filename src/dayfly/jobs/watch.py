"""The watch: one poller for all jobs of a provider, and whoever waits gets the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DayflyError, ProviderFailed, Stopped
from dayfly.contract.groups import TaskGroup
from dayfly.jobs.wakes import Wakes
from dayfly.jobs.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.contract.provider import Description
    from dayfly.jobs.looks import Looks
    from dayfly.jobs.provider import Provider
    from dayfly.jobs.timing import Timing

#: Calls on their way at once: a slow answer must not hold up the others for long.
_CALLS_AT_ONCE: Final = 4


class Watch:
    """Looks at jobs until they end. It has one task, however many jobs there are."""

    def __init__(
        self, provider: Provider, description: Description, looks: Looks, timing: Timing
    ) -> None:
        self._provider = provider
        self._description = description
        self._looks = looks
        self._timing = timing
        self._jobs: dict[str, Watched] = {}
        self._wake = asyncio.Event()
        self._wakes = Wakes(provider, timing, self._changed)
        self._task: asyncio.Task[None] | None = None

    def end_of(
        self,
        handle: JobHandle,
        again: Callable[[JobStatus], bool] | None = None,
        *,
        not_before: float = 0.0,
    ) -> asyncio.Future[JobStatus]:
        """The job's final status, to come. Await it shielded: others wait for it too.

        Args:
            handle: The job.
            again: Told when it ended without having run, for what may pass; True where it
                is launched again, and this is not its end.
            not_before: Monotonic time of the first look that is worth a call of its own.
        """
        watched = self._watched(handle, not_before)
        watched.again = again or watched.again
        return watched.end

    def seen(self, handle: JobHandle) -> JobStatus | None:
        """The job as it was last seen, where it is watched."""
        watched = self._jobs.get(handle.id)
        return watched.status if watched else None

    def hasten(self, handle: JobHandle) -> None:
        """Look at a watched job now: there is reason to think that it ends."""
        if watched := self._jobs.get(handle.id):
            watched.hasten(asyncio.get_running_loop().time())
            self._wake.set()

    def move(self, handle: JobHandle, to: JobHandle) -> None:
        """The job was launched again: whoever waits for its end waits for this one's."""
        if watched := self._jobs.pop(handle.id, None):
            watched.move(to, asyncio.get_running_loop().time())
            self._jobs[to.id] = watched
            self._wake.set()

    def settle(self, handle: JobHandle, status: JobStatus) -> None:
        """The job is not launched again after all: this is its end."""
        watched = self._jobs.pop(handle.id, None)
        if watched and not watched.end.done():
            watched.end.set_result(status)

    def fail(self, handle: JobHandle, error: DayflyError) -> None:
        """End the watch of a job whose end cannot be brought about."""
        if watched := self._jobs.pop(handle.id, None):
            watched.fail(error)

    async def close(self) -> None:
        """Stop looking. Whoever still waits is told so."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        what = f"the connection to {self._provider.name!r} was closed while a job was watched"
        self._fail_all(Stopped(what, advice="The job goes on; `dayfly wait` comes back to it."))

    def _watched(self, handle: JobHandle, not_before: float) -> Watched:
        watched = self._jobs.get(handle.id)
        if watched is None:
            loop = asyncio.get_running_loop()
            end: asyncio.Future[JobStatus] = loop.create_future()
            watched = Watched(handle, end, loop.time(), self._timing)
            watched.due = max(watched.due, not_before)
            self._jobs[handle.id] = watched
            self._wake.set()
            if self._task is None or self._task.done():
                self._task = loop.create_task(self._run(), name="dayfly watch")
                self._task.add_done_callback(self._over)
        return watched

    def _over(self, task: asyncio.Task[None]) -> None:
        """Nobody waits for ever for a watch that broke."""
        if task.cancelled() or (broke := task.exception()) is None:
            return
        cause = broke.exceptions[0] if isinstance(broke, BaseExceptionGroup) else broke
        error = ProviderFailed(f"the watch of {self._provider.name!r} broke: {cause!r}")
        error.__cause__ = cause
        self._fail_all(error)

    def _fail_all(self, error: DayflyError) -> None:
        for watched in self._jobs.values():
            watched.fail(_own(error))
        self._jobs.clear()

    def _changed(self, handle_id: str | None) -> None:
        now = asyncio.get_running_loop().time()
        changed = self._jobs.values() if handle_id is None else [self._jobs.get(handle_id)]
        for watched in changed:
            if watched is not None:
                watched.due = watched.ripe = now
                self._wake.set()

    async def _run(self) -> None:
        while self._jobs:
            await self._look_until_idle()

    async def _look_until_idle(self) -> None:
        async with TaskGroup() as group:
            listening = group.create_task(self._wakes.run()) if self._provider.events else None
            calls = asyncio.Semaphore(_CALLS_AT_ONCE)
            while self._jobs:
                await self._pause()
                for batch in self._due():
                    await calls.acquire()
                    look = group.create_task(self._look(batch))
                    look.add_done_callback(lambda _: calls.release())
            if listening is not None:
                listening.cancel()

    async def _pause(self) -> None:
        """Until something is due; then a moment more, for what comes along with it."""
        self._wake.clear()
        idle = [watched.due for watched in self._idle()]
        until = min(idle, default=None)
        now = asyncio.get_running_loop().time()
        if until is None or until > now:
            try:
                async with asyncio.timeout_at(until):
                    await self._wake.wait()
            except TimeoutError:
                return
        if len(self._jobs) > 1:
            wait = self._timing.gather * len(self._jobs)
            await asyncio.sleep(min(wait, self._description.poll_min_seconds / 4))

    def _due(self) -> Sequence[Sequence[Watched]]:
        """Batches of what is due; the last is filled up with what will be before long."""
        now = asyncio.get_running_loop().time()
        idle = self._idle()
        due = sum(watched.due <= now for watched in idle)
        size = max(self._description.statuses_per_call, 1)
        ripe = [watched for watched in idle if watched.ripe <= now]
        ripe.sort(key=_time_due)
        chosen = ripe[: -(-due // size) * size]
        for watched in chosen:
            watched.asking = True
            watched.due = now
        return [chosen[start : start + size] for start in range(0, len(chosen), size)]

    def _idle(self) -> list[Watched]:
        return [w for w in self._jobs.values() if not (w.asking or w.parked)]

    async def _look(self, batch: Sequence[Watched]) -> None:
        asked = asyncio.get_running_loop().time()
        answers: Sequence[JobStatus | DayflyError]
        try:
            answers = await self._looks.many([watched.handle for watched in batch])
        except DayflyError as error:
            answers = [_own(error) for _ in batch]
        now = asyncio.get_running_loop().time()
        for watched, answer in zip(batch, answers, strict=True):
            watched.asking = False
            hastened = watched.due > asked
            watched.learn(answer, now, self._description, woken=self._wakes.up)
            if hastened and not isinstance(answer, DayflyError):
                watched.due = watched.ripe = now
            # Whoever came after a failed watch waits under the same id.
            if watched.end.done() and self._jobs.get(watched.handle.id) is watched:
                del self._jobs[watched.handle.id]
        self._wake.set()


def _time_due(watched: Watched) -> float:
    return watched.due


def _own(error: DayflyError) -> DayflyError:
    """A copy for one waiter: an exception that many raise gathers all their tracebacks."""
    copy = type(error)(
        error.message,
        advice=error.advice,
        field=error.field,
        reason=error.reason,
        retry_after_seconds=error.retry_after_seconds,
    )
    copy.__cause__ = error
    return copy
