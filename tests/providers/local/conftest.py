"""The provider's object itself, in this process, over a state directory of its own."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import pytest

from dayfly.contract.jobs import (
    JobHandle,
    JobSpec,
    JobStatus,
    LogBatch,
    LogQuery,
    Stream,
    Submission,
    Submitted,
)
from dayfly.providers.local.config import Config
from dayfly.providers.local.runner import Local

if TYPE_CHECKING:
    from pathlib import Path

BOUND_SECONDS = 20.0


def sh(script: str, **fields: object) -> JobSpec:
    return JobSpec(command=("sh", "-c", script), **fields)  # type: ignore[arg-type]


@dataclass
class Desk:
    """One provider and the jobs that a test gave it."""

    state: Path
    local: Local = field(init=False)
    _handles: list[JobHandle] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.local = self.another()

    def another(self) -> Local:
        """What another plugin process would have."""
        return Local(Config(state_dir=self.state))

    async def submit(self, spec: JobSpec, key: str = "") -> Submitted:
        submission = Submission(spec=spec, key=key or uuid.uuid4().hex)
        submitted = await self.local.submit(submission, lambda _: None)
        self._handles.append(submitted.handle)
        return submitted

    async def start(self, spec: JobSpec, key: str = "") -> JobHandle:
        return (await self.submit(spec, key)).handle

    async def status(self, handle: JobHandle) -> JobStatus:
        (status,) = await self.local.statuses([handle])
        return status

    async def end(self, handle: JobHandle) -> JobStatus:
        async with asyncio.timeout(BOUND_SECONDS):
            async for changed in self.local.events([handle]):
                assert changed == handle.id
        status = await self.status(handle)
        assert status.final
        return status

    async def finish(self, spec: JobSpec) -> JobStatus:
        return await self.end(await self.start(spec))

    async def batches(self, handle: JobHandle, **query: object) -> list[LogBatch]:
        return [b async for b in self.local.logs(handle, LogQuery(**query))]  # type: ignore[arg-type]

    async def output(self, handle: JobHandle, **query: object) -> tuple[bytes, bytes]:
        batches = await self.batches(handle, **query)
        return joined(batches, Stream.STDOUT), joined(batches, Stream.STDERR)

    async def printed(self, handle: JobHandle, text: bytes) -> None:
        """Wait until the job has printed something."""
        async with asyncio.timeout(BOUND_SECONDS):
            # A process of its own tells nobody here.
            while text not in b"".join(await self.output(handle)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def directory(self, handle: JobHandle) -> Path:
        return self.state / "local" / "jobs" / handle.id

    async def clean_up(self) -> None:
        for handle in self._handles:
            if self.directory(handle).is_dir():
                await self.local.cancel_job(handle)
                await self.end(handle)


def joined(batches: list[LogBatch], stream: Stream) -> bytes:
    return b"".join(batch.data for batch in batches if batch.stream is stream)


async def gone(pid: int) -> None:
    """Wait until a process is there no more, or is a zombie that its parent left."""
    async with asyncio.timeout(BOUND_SECONDS):
        while psutil.pid_exists(pid) and _runs(pid):  # noqa: ASYNC110 - nobody's child here
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
async def desk(tmp_path):
    desk = Desk(tmp_path / "a state, with spaces")
    yield desk
    await desk.clean_up()
