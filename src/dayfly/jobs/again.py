"""A job that never ran, for a reason that may pass, is launched again under its key.

For as long as a launch is tried at all. The provider is told which job the new one stands
for, so that a lost answer, or another machine that does the same, never makes two.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, ProviderFailed
from dayfly.jobs.cancel import request_stop
from dayfly.jobs.launch import Launch, leaves_open
from dayfly.jobs.timing import Backoff

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle, JobStatus, Progress, Submission
    from dayfly.jobs.engine import Engine
    from dayfly.jobs.job import Job

_log = logging.getLogger("dayfly.jobs")


class Again:
    """The further launches of one job."""

    def __init__(self, engine: Engine, job: Job, submission: Submission) -> None:
        self._off = asyncio.Event()
        self._engine = engine
        self._job = job
        self._submission = submission
        self._backoff = Backoff(engine.timing, engine.timing.launch_deadline)

    def __call__(self, status: JobStatus) -> bool:
        """Launch again in a while, if there is still time; the watch asks.

        Args:
            status: The end that may pass.
        """
        pause = self._backoff.failed(asyncio.get_running_loop().time())
        if pause is None or self._off.is_set():
            return False
        _log.warning("%s did not start and is launched again: %s", self._job.name, status.message)
        self._engine.begin(self._launch(status, pause))
        return True

    def call_off(self) -> None:
        """The job is to be stopped: launch it no more, and stop one that is on its way."""
        self._off.set()

    async def _launch(self, status: JobStatus, pause: float) -> None:
        before = self._job.handle
        submission = replace(self._submission, instead_of=before.id)
        engine = self._engine
        launch = Launch(engine, submission)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._off.wait()
            handle = None if await self._is_off() else await self._started(launch)
            if handle is None:
                engine.watch.settle(before, status)
                return
            self._job.move(engine, handle)
            if await self._is_off():
                name = self._job.name
                await request_stop(engine.provider.canceler, handle, name, engine.timing)
        except DayflyError as error:
            engine.watch.fail(self._job.handle, error)
        except Exception as error:
            broke = ProviderFailed(f"launching {self._job.name} again broke: {error!r}")
            engine.watch.fail(self._job.handle, broke)
            raise

    async def _is_off(self) -> bool:
        entry = await self._engine.ledger.get(self._job.key)
        if entry and entry.cancel_requested:  # By another command.
            self._off.set()
        return self._off.is_set()

    async def _started(self, launch: Launch) -> JobHandle | None:
        """The further job; None where the stop came first, and the provider has none."""
        launching = asyncio.create_task(launch.run(_unheard, cut_short=False))
        off = asyncio.create_task(self._off.wait())
        try:
            await asyncio.wait({launching, off}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({launching}, timeout=self._engine.timing.withdrawal)
        finally:
            off.cancel()
            launching.cancel()
            await asyncio.wait({launching, off})
        if launching.cancelled() or (self._off.is_set() and leaves_open(launching.exception())):
            return await launch.find()
        return launching.result().handle


def _unheard(progress: Progress) -> None:
    """A launch in the background has nobody to tell."""
