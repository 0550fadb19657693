"""One job: where it stands, its end, its output, its stop, its removal."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, DeadlinePassed
from dayfly.contract.jobs import JobState, LogQuery, Reason
from dayfly.jobs.again import Again
from dayfly.jobs.cancel import confirmed_stop, request_stop
from dayfly.jobs.deadline import Deadline, unkept
from dayfly.jobs.follow import Follow
from dayfly.jobs.records import LineSplitter
from dayfly.jobs.retry import retried

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from datetime import datetime

    from dayfly.contract.jobs import JobHandle, JobStatus, LogBatch, Submission
    from dayfly.contract.services import JobCanceler
    from dayfly.jobs.engine import Engine
    from dayfly.jobs.records import LogRecord


class Job:
    """A job that was launched here, or attached to by its handle.

    Attributes:
        handle: All that is needed to come back to it, on any machine.
        key: Its idempotency key; empty where only the handle is known.
        name: What a person calls it.
        adopted: The key had this job already; nothing was started.
        notes: What was rounded or chosen at the launch, a sentence each.
    """

    __slots__ = (
        "_again",
        "_deadline",
        "_detached",
        "_end",
        "_engine",
        "_grace",
        "_recalled",
        "_removed",
        "_worth_a_look",
        "adopted",
        "handle",
        "key",
        "name",
        "notes",
    )

    def __init__(
        self,
        engine: Callable[[], Awaitable[Engine]],
        handle: JobHandle,
        *,
        key: str,
        name: str,
        adopted: bool = False,
        notes: tuple[str, ...] = (),
        detached: bool = True,
        grace_seconds: float | None = None,
    ) -> None:
        self.handle = handle
        self.key = key
        self.name = name
        self.adopted = adopted
        self.notes = notes
        self._engine = engine
        self._detached = detached
        self._grace = grace_seconds
        self._end: JobStatus | None = None
        self._recalled = False
        self._removed = False
        self._deadline: Deadline | None = None
        self._again: Again | None = None
        self._worth_a_look = 0.0

    def __repr__(self) -> str:
        return f"<Job {self.name!r} {self.handle.id!r}>"

    async def status(self) -> JobStatus:
        """One fresh look. A job that is gone stands as its end was written down.

        Raises:
            DayflyError: The provider could not be asked.
        """
        engine = await self._engine()
        fresh = await engine.looks.one(self.handle)
        end = await self._known_end(engine)
        # The provider knows a timeout that was kept here only as a stop.
        if end and (fresh.state is JobState.UNKNOWN or end.reason is Reason.TIMED_OUT):
            return end
        # One that is launched again has not ended, whatever became of its first task.
        over = fresh.final and not (fresh.may_pass and self._again)
        return await self._settled(engine, fresh) if over else fresh

    async def wait(self, timeout: float | None = None) -> JobStatus:  # noqa: ASYNC109 - asked for by name in a public API, and it cancels nothing
        """The job's end. Cancelling the task that waits stops the job, unless detached.

        Args:
            timeout: Seconds to wait; the job goes on beyond them. None waits to the end.

        Raises:
            DeadlinePassed: It has not ended in time.
            DayflyError: It cannot be seen whether it has ended.
        """
        engine = await self._engine()
        if known := await self._known_end(engine):
            return known
        end = self._watched_end(engine)
        try:
            await asyncio.wait({end}, timeout=timeout)
        except asyncio.CancelledError:
            if not self._detached:
                await engine.see_through(self.cancel(), f"{self.name} may still run")
            raise
        if not end.done():
            raise DeadlinePassed(
                f"waited {timeout:g} s for {self.name}, and it has not ended",
                advice=f"It goes on; wait again, or stop it: dayfly cancel {self.name}.",
            )
        return await self._settled(engine, end.result())

    async def output(
        self,
        *,
        cursor: str = "",
        follow: bool = True,
        timestamps: bool = False,
        tail_lines: int | None = None,
        since: datetime | None = None,
    ) -> AsyncGenerator[LogBatch, None]:
        """The output as the provider has it: in order, each byte once.

        Args:
            cursor: Where to go on; empty is the beginning.
            follow: Stay to the job's end and until nothing more can come.
            timestamps: Fill ``LogBatch.times``.
            tail_lines: Only the last lines of what is there now, per stream.
            since: Only what was printed at or after this time.

        Raises:
            DayflyError: The output cannot be read; that says nothing about the job.
        """
        if self._removed:
            return
        query = LogQuery(
            cursor=cursor,
            follow=follow,
            timestamps=timestamps,
            tail_lines=tail_lines,
            since=since,
        )
        engine = await self._engine()
        reading = Follow(
            engine.provider.observer, engine.description, engine.timing, lambda: self.handle, query
        )
        batches = reading.to_the_end(await self._end_to_come(engine)) if follow else reading.once()
        try:
            async with aclosing(batches):
                async for batch in batches:
                    yield batch
        except DayflyError:
            # What keeps the output from being read may keep the job's end from being seen too.
            engine.watch.hasten(self.handle)
            raise
        if reading.ended:
            engine.watch.hasten(self.handle)

    async def logs(
        self,
        *,
        cursor: str = "",
        follow: bool = True,
        timestamps: bool = False,
        tail_lines: int | None = None,
        since: datetime | None = None,
    ) -> AsyncGenerator[LogRecord, None]:
        """The output line by line; the arguments and errors are those of ``output``."""
        splitter = LineSplitter(cursor)
        batches = self.output(
            cursor=cursor,
            follow=follow,
            timestamps=timestamps,
            tail_lines=tail_lines,
            since=since,
        )
        async with aclosing(batches):
            async for batch in batches:
                for record in splitter.feed(batch):
                    yield record
        for record in splitter.rest():
            yield record

    async def cancel(self) -> JobStatus:
        """Stop the job, and wait until the provider confirms it.

        Returns:
            Its end; that of a job which had ended already is as it was.

        Raises:
            NotServed: The plugin cannot stop jobs.
            DeadlinePassed: The stop was not confirmed in time.
            DayflyError: The provider refused, or could not be reached.
        """
        engine = await self._engine()
        if known := await self._known_end(engine):
            return known
        canceler = engine.provider.canceler
        await engine.ledger.cancel_requested(self.key)
        return await self._settled(engine, await self._stop(engine, canceler))

    async def delete(self) -> None:
        """Remove what the job left at the provider, its output with it.

        Raises:
            FailedPrecondition: It has not ended.
            NotServed: The plugin cannot remove jobs.
            DayflyError: The provider refused, or could not be reached.
        """
        engine = await self._engine()
        inventory = engine.provider.inventory
        await retried(
            lambda: inventory.delete(self.handle),
            tried=f"to remove {self.name}",
            timing=engine.timing,
            deadline=engine.timing.cancel_deadline,
        )
        await engine.ledger.deleted(self.key)

    def recall(self, end: JobStatus | None, *, removed: bool) -> None:
        """Take what the journal knows of it.

        Args:
            end: How it ended.
            removed: It is gone at the provider, and its output with it.
        """
        self._end, self._recalled, self._removed = end, True, removed

    def limit(self, engine: Engine, seconds: float, timeout_seconds: int) -> None:
        """Stop it in ``seconds``, which is when its timeout has passed."""

        async def stop() -> None:
            try:
                await self._stop(engine, engine.provider.canceler)
            except DayflyError as error:
                engine.watch.fail(self.handle, unkept(error, self.name, timeout_seconds))

        self._deadline = Deadline(seconds, timeout_seconds, lambda: engine.begin(stop()))

    def launch_again(self, engine: Engine, submission: Submission) -> None:
        """Should it never run for a reason that may pass, launch it again."""
        self._again = Again(engine, self, submission)
        if not self.adopted and not engine.provider.events:
            # It was just started, and a thousand at once would be a thousand calls.
            soon = engine.description.poll_min_seconds
            self._worth_a_look = asyncio.get_running_loop().time() + soon

    def move(self, engine: Engine, handle: JobHandle) -> None:
        """It was launched again: from now on this is its handle."""
        if engine.owned.pop(self.handle.id, None):
            engine.owned[handle.id] = self
        before, self.handle = self.handle, handle
        engine.watch.move(before, handle)

    def release(self) -> None:
        """Nothing more is done about it from here."""
        if self._deadline:
            self._deadline.disarm()

    async def _stop(self, engine: Engine, canceler: JobCanceler) -> JobStatus:
        end = self._watched_end(engine)
        if self._again:
            self._again.call_off()
        await request_stop(canceler, self.handle, self.name, engine.timing)
        grace = engine.timing.default_grace if self._grace is None else self._grace
        within = grace + engine.timing.cancel_deadline
        return await confirmed_stop(engine.watch, end, self.handle, self.name, within)

    def _watched_end(self, engine: Engine) -> asyncio.Future[JobStatus]:
        return engine.watch.end_of(self.handle, self._again, not_before=self._worth_a_look)

    async def _known_end(self, engine: Engine) -> JobStatus | None:
        if self._end is None and not self._recalled:
            entry = await engine.ledger.get(self.key)
            self._recalled = True
            if entry and entry.handle == self.handle:
                self._end = entry.end
        return self._end

    async def _end_to_come(self, engine: Engine) -> asyncio.Future[JobStatus]:
        if known := await self._known_end(engine):
            end: asyncio.Future[JobStatus] = asyncio.get_running_loop().create_future()
            end.set_result(known)
            return end
        return self._watched_end(engine)

    async def _settled(self, engine: Engine, status: JobStatus) -> JobStatus:
        """The end, judged and written down."""
        if self._end is not None:
            return self._end
        end = self._deadline.judge(status) if self._deadline else status
        self.release()
        engine.owned.pop(self.handle.id, None)
        if end.reason is not Reason.LOST:
            self._end = end
        await engine.ledger.observed(self.key, end)
        return end
