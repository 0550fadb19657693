"""Ends of jobs as they happen: the kernel closes a supervisor's FIFO when it goes."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from dayfly.providers.local import layout

if TYPE_CHECKING:
    from pathlib import Path


class Ends:
    """Waits for the ends of some jobs, one descriptor each and no polling."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._open: dict[str, int] = {}

    @property
    def waiting(self) -> bool:
        """Whether there is an end to come, or one that was not told yet."""
        return bool(self._open) or not self._queue.empty()

    def add(self, job_id: str, path: Path) -> None:
        """Tell this job's end, or that it has ended."""
        if job_id in self._open:
            return
        try:
            descriptor = os.open(path / layout.ALIVE, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            self._queue.put_nowait(job_id)
            return
        self._open[job_id] = descriptor
        self._loop.add_reader(descriptor, self._look, job_id)
        # With nobody at its other end when it was opened, the FIFO reports no end.
        self._look(job_id)

    async def next(self) -> str:
        """The id of a job that ended."""
        return await self._queue.get()

    def close(self) -> None:
        """Stop waiting."""
        for job_id in list(self._open):
            self._forget(job_id)

    def _look(self, job_id: str) -> None:
        if job_id not in self._open:
            return
        try:
            os.read(self._open[job_id], 1)
        except BlockingIOError:
            return
        self._forget(job_id)
        self._queue.put_nowait(job_id)

    def _forget(self, job_id: str) -> None:
        descriptor = self._open.pop(job_id)
        self._loop.remove_reader(descriptor)
        os.close(descriptor)
