"""The follow: pages or streams of output become one run of batches, each once, to the end."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from dayfly.contract.errors import DataLoss, NotFound, Transient
from dayfly.jobs.retry import pause_after
from dayfly.jobs.timing import Backoff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from dayfly.contract.jobs import JobHandle, JobStatus, LogBatch, LogQuery
    from dayfly.contract.provider import Description
    from dayfly.contract.services import JobObserver
    from dayfly.jobs.timing import Timing

_REMEMBERED: Final = 64


class Follow:
    """Reads one job's output, once.

    Attributes:
        ended: The provider said that nothing will ever follow.
    """

    def __init__(
        self,
        observer: JobObserver,
        description: Description,
        timing: Timing,
        handle: Callable[[], JobHandle],
        query: LogQuery,
    ) -> None:
        """Read from a query's cursor on.

        Args:
            observer: Gives the pages.
            description: How long output may lag.
            timing: Pauses.
            handle: The job; another one's once it was launched again.
            query: What of it.
        """
        self.ended = False
        self._observer = observer
        self._description = description
        self._timing = timing
        self._handle = handle
        self._query = query
        self._backoff = Backoff(timing, timing.error_deadline)
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self._delivered = False
        self._fresh = False

    async def once(self) -> AsyncGenerator[LogBatch, None]:
        """What there is now.

        Raises:
            DayflyError: The output cannot be read.
            DataLoss: Reading broke off, and the provider gave no cursor to go on from.
        """
        while True:
            try:
                async with aclosing(self._page()) as page:
                    async for batch in page:
                        yield batch
            except Transient as error:
                await self._wait_out(error)
            else:
                return

    async def to_the_end(self, end: asyncio.Future[JobStatus]) -> AsyncGenerator[LogBatch, None]:
        """What there is and what is yet to come, until there is no more.

        Args:
            end: The job's end, to come.

        Raises:
            DayflyError: The output cannot be read, or it cannot be seen whether the job
                has ended.
            DataLoss: Reading broke off, and the provider gave no cursor to go on from.
        """
        clock = asyncio.get_running_loop().time
        invisible_until = clock() + self._description.visibility_grace_seconds
        pause, dry_until = self._timing.page_first, None
        while not self.ended:
            # Only what is asked for after the end can be the last of the output.
            over = end.done()
            try:
                async with aclosing(self._page()) as page:
                    async for batch in page:
                        yield batch
            except Transient as error:
                await self._wait_out(error)
                continue
            except NotFound:
                if over or clock() >= invisible_until:
                    raise
            if over and not self._fresh:
                if dry_until is None:
                    dry_until = clock() + self._left_to_drain(end.result())
                if clock() >= dry_until:
                    return
            pause = self._timing.page_first if self._fresh else min(pause * 2, self._longest())
            if over:
                # The last page is asked for when the time is up, however long the pause has grown.
                left = pause if dry_until is None else dry_until - clock()
                await asyncio.sleep(min(pause, max(left, self._timing.page_first)))
            else:
                await asyncio.wait({end}, timeout=pause)

    async def _page(self) -> AsyncGenerator[LogBatch, None]:
        """One answer: a page, or a stream for as long as it holds."""
        self._fresh, resumed = False, bool(self._query.cursor)
        answer = self._observer.logs(self._handle(), self._query)
        async with aclosing(cast("AsyncGenerator[LogBatch, None]", answer)) as batches:
            async for batch in batches:
                # Some log services give the last page's end again.
                if not (resumed and batch.cursor in self._recent):
                    resumed = False
                    self._advance(batch)
                    if batch.data:
                        yield batch
                if batch.end:
                    self.ended = True
                    return
        self._backoff.succeeded()
        if self._query.tail_lines and not self._query.cursor:
            # There was nothing to take the last lines of: all that comes now is new.
            self._query = replace(self._query, tail_lines=None)

    def _advance(self, batch: LogBatch) -> None:
        if batch.data and not self._fresh:
            self._fresh = self._delivered = True
            self._backoff.succeeded()
        if batch.cursor:
            if batch.data:
                self._recent.append(batch.cursor)
            self._query = replace(self._query, cursor=batch.cursor, tail_lines=None)

    async def _wait_out(self, error: Transient) -> None:
        handle = self._handle()
        what = handle.name or handle.id
        if self._delivered and not self._query.cursor:
            raise DataLoss(
                f"reading the output of {what} broke off, and cannot go on where it stopped: "
                f"{error.message}",
                advice="Read it again from its beginning.",
            ) from error
        now = asyncio.get_running_loop().time()
        tried = f"to read the output of {what}"
        await asyncio.sleep(pause_after(error, tried, self._backoff, now))

    def _longest(self) -> float:
        return max(self._timing.page_max, self._description.poll_min_seconds)

    def _left_to_drain(self, status: JobStatus) -> float:
        """Output may lag behind the end by so much; that of a job long ended does not."""
        drain = self._description.log_drain_seconds
        if status.ended is None:
            return drain
        age = (datetime.now(UTC) - status.ended).total_seconds()
        return min(max(drain - age, 0.0), drain)
