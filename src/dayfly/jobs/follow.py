"""A job's output: pages or streams of a provider, turned into batches, each once, to the end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import Transient
from dayfly.jobs.retry import Backoff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dayfly.contract.jobs import JobHandle, JobStatus, LogBatch, LogQuery
    from dayfly.contract.provider import Description
    from dayfly.contract.services import JobObserver

#: Reading fails for this long before the follower gives up. The job goes on.
PATIENCE_SECONDS = 5 * 60.0

_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.25


@dataclass
class Follower:
    """Reads one job's output.

    Attributes:
        observer: Where it is read.
        handle: The job.
        description: How long output may still arrive after the end.
        ended: The job's end, to come.
    """

    observer: JobObserver
    handle: JobHandle
    description: Description
    ended: asyncio.Future[JobStatus]
    _cursor: str = ""
    _progress: bool = False
    _finished: bool = False

    async def follow(self, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """All output from the query's cursor on, until the provider has no more.

        Raises:
            DayflyError: The output cannot be read; it is never part of the output.
        """
        self._cursor = query.cursor
        backoff = Backoff(PATIENCE_SECONDS)
        pause, drained_at = _FIRST_PAUSE_SECONDS, None
        while not self._finished:
            # Asked before the page is: what was printed before the end is then in it.
            over = self.ended.done()
            self._progress = False
            try:
                async for batch in self._page(query):
                    yield batch
                backoff.reset()
            except Transient as error:
                await asyncio.sleep(backoff.next_pause(error))
                continue
            if self._progress:
                pause, drained_at = _FIRST_PAUSE_SECONDS, None
            elif over:
                now = asyncio.get_running_loop().time()
                drained_at = drained_at or now + self.description.log_drain_seconds
                if now >= drained_at:
                    return
            if not self._finished:
                await self._wait(pause, over=over)
                pause = min(pause * 2, self._longest_pause())

    async def page(self, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """What there is now.

        Raises:
            DayflyError: The output cannot be read.
        """
        self._cursor = query.cursor
        backoff = Backoff(PATIENCE_SECONDS)
        while True:
            try:
                async for batch in self._page(query):
                    yield batch
            except Transient as error:
                await asyncio.sleep(backoff.next_pause(error))
            else:
                return

    async def _page(self, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        if self._cursor:
            # What is past the cursor is wanted whole: where to begin was settled before.
            query = replace(query, cursor=self._cursor, tail_lines=None, since=None)
        async for batch in self.observer.logs(self.handle, query):
            self._progress = self._progress or bool(batch.data)
            self._cursor = batch.cursor or self._cursor
            self._finished = self._finished or batch.end
            yield batch

    async def _wait(self, seconds: float, *, over: bool) -> None:
        """Pause, but not past the job's end."""
        if over:
            await asyncio.sleep(seconds)
        else:
            await asyncio.wait({self.ended}, timeout=seconds)

    def _longest_pause(self) -> float:
        return max(_LONGEST_PAUSE_SECONDS, self.description.poll_min_seconds)
