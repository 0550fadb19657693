"""One job: look, wait, read, stop, remove."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, DeadlinePassed, NotServed
from dayfly.contract.jobs import JobState, LogQuery, Reason
from dayfly.jobs.follow import Follower
from dayfly.jobs.records import LineSplitter
from dayfly.jobs.retry import persist

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from dayfly.contract.jobs import JobHandle, JobStatus, LogBatch
    from dayfly.contract.provider import Description
    from dayfly.jobs.ledger import Ledger
    from dayfly.jobs.provider import Provider
    from dayfly.jobs.records import LogRecord
    from dayfly.jobs.watch import Watch

#: How long a single call may fail in ways that may pass.
PATIENCE_SECONDS = 60.0

#: How long a stop may take beyond the job's own grace period.
CONFIRMATION_SECONDS = 60.0
_DEFAULT_GRACE_SECONDS = 30


@dataclass(eq=False)
class Job:
    """A job that was launched, or found again.

    Attributes:
        handle: All that finds it, on any machine.
        key: Its idempotency key; empty where only the handle is known.
        name: What it is called.
        adopted: The key had this job already; this launch started nothing.
        notes: What was rounded, chosen or is to be known, a sentence each.
        detached: Cancelling whoever waits for it does not stop it.
        grace_seconds: Between TERM and KILL, where that is known.
    """

    handle: JobHandle
    provider: Provider
    description: Description
    watch: Watch
    ledger: Ledger
    key: str = ""
    name: str = ""
    adopted: bool = False
    notes: tuple[str, ...] = ()
    detached: bool = False
    grace_seconds: int | None = None
    removed: JobStatus | None = None
    _timed_out: bool = field(default=False, init=False)

    async def status(self) -> JobStatus:
        """One fresh look."""
        if self.removed is not None:
            return self.removed
        (status,) = await persist(
            lambda: self.provider.observer.statuses([self.handle]),
            patience_seconds=PATIENCE_SECONDS,
        )
        status = self._told(status)
        await self.ledger.observed(self.key, status)
        return status

    async def wait(self, timeout: float | None = None) -> JobStatus:  # noqa: ASYNC109 - public API, as asyncio.wait_for has it
        """Wait for the end.

        Cancelling the caller stops the job, and waits for that, unless it is detached.

        Args:
            timeout: Seconds to wait; the job goes on when they have passed.

        Raises:
            DeadlinePassed: It had not ended by then.
            DayflyError: The provider cannot be asked any more.
        """
        if self.removed is not None:
            return self.removed
        try:
            async with asyncio.timeout(timeout):
                status = self._told(await asyncio.shield(self.watch.ended(self.handle)))
        except TimeoutError:
            raise DeadlinePassed(
                f"{self.name or self.handle.id} had not ended after {timeout:g} s"
            ) from None
        except asyncio.CancelledError:
            if not self.detached:
                await self.stop_shielded()
            raise
        await self.ledger.observed(self.key, status)
        return status

    async def output(
        self,
        *,
        cursor: str = "",
        follow: bool = True,
        timestamps: bool = False,
        tail_lines: int | None = None,
        since: datetime | None = None,
    ) -> AsyncGenerator[LogBatch, None]:
        """The output as runs of bytes, in order, each once; with ``follow`` to its end.

        Args:
            cursor: Where to go on, from an earlier batch.
            follow: Wait for what is yet to come, until the job has ended and all is read.
            timestamps: Have the times at which lines were printed.
            tail_lines: Begin with only the last lines of what is there now.
            since: Begin with what was printed at this time.

        Raises:
            DayflyError: The output cannot be read. The job is not affected.
        """
        if self.removed is not None:
            return
        query = LogQuery(
            cursor=cursor,
            follow=follow,
            timestamps=timestamps,
            tail_lines=tail_lines,
            since=since,
        )
        follower = Follower(
            self.provider.observer, self.handle, self.description, self.watch.ended(self.handle)
        )
        batches = follower.follow(query) if follow else follower.page(query)
        async with aclosing(batches):
            async for batch in batches:
                yield batch

    async def logs(
        self,
        *,
        cursor: str = "",
        follow: bool = True,
        timestamps: bool = False,
        tail_lines: int | None = None,
        since: datetime | None = None,
    ) -> AsyncGenerator[LogRecord, None]:
        """The output line by line; otherwise as ``output``."""
        lines = LineSplitter()
        batches = self.output(
            cursor=cursor,
            follow=follow,
            timestamps=timestamps,
            tail_lines=tail_lines,
            since=since,
        )
        async with aclosing(batches):
            async for batch in batches:
                for record in lines.feed(batch):
                    yield record
        for record in lines.finish():
            yield record

    async def cancel(self) -> JobStatus:
        """Ask for the stop, and wait until the provider confirms it.

        Returns:
            How it ended: CANCELLED, or as it did where the stop came too late.

        Raises:
            NotServed: This provider's plugin cannot stop jobs.
            DeadlinePassed: It was asked for, and not confirmed in time.
        """
        if self.removed is not None:
            return self.removed
        canceler = self.provider.canceler
        if canceler is None:
            raise NotServed(
                f"{self.name or self.handle.id} cannot be stopped: the plugin of provider "
                f"{self.provider.name!r} does not serve IaCProviderJobCanceler",
                advice="Stop it with the provider's own tools.",
            )
        await self.ledger.cancel_requested(self.key)
        await persist(lambda: canceler.cancel_job(self.handle), patience_seconds=PATIENCE_SECONDS)
        self.watch.look_now(self.handle.id)
        grace = _DEFAULT_GRACE_SECONDS if self.grace_seconds is None else self.grace_seconds
        seconds = grace + CONFIRMATION_SECONDS
        try:
            async with asyncio.timeout(seconds):
                status = await asyncio.shield(self.watch.ended(self.handle))
        except TimeoutError:
            raise DeadlinePassed(
                f"{self.name or self.handle.id} was asked to stop; the provider did not confirm "
                f"it within {seconds:g} s",
                advice="It may still run. Look again with `dayfly status`, or at the provider.",
            ) from None
        status = self._told(status)
        await self.ledger.observed(self.key, status)
        return status

    async def delete(self) -> None:
        """Remove the ended job and all that was made for it, its output too.

        Raises:
            FailedPrecondition: It has not ended.
        """
        if self.removed is not None:
            return
        inventory = self.provider.inventory
        if inventory is None:
            return  # A classic plugin leaves what it leaves; `describe` says so.
        await self.ledger.removing(self.key)
        await persist(lambda: inventory.delete(self.handle), patience_seconds=PATIENCE_SECONDS)

    async def stop_at(self, seconds: float) -> None:
        """Stop the job after this many seconds. A stop that fails fails whoever waits."""
        ended = self.watch.ended(self.handle)
        await asyncio.wait({ended}, timeout=max(seconds, 0))
        if ended.done():
            return
        self._timed_out = True
        try:
            await self.cancel()
        except DayflyError as error:
            self.watch.fail(self.handle, error)

    async def stop_shielded(self) -> None:
        """Stop the job although the caller is being cancelled.

        Raises:
            DayflyError: The stop failed.
        """
        stopping = asyncio.create_task(self.cancel())
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError:
                # Cancelled again: the stop is bounded, and leaving now would orphan the job.
                continue
        stopping.result()

    def _told(self, status: JobStatus) -> JobStatus:
        if self._timed_out and status.state is JobState.CANCELLED:
            return replace(
                status,
                state=JobState.FAILED,
                reason=Reason.TIMED_OUT,
                message="stopped at its timeout",
            )
        return status
