"""A thousand jobs in flight, watched by one process: memory, CPU and calls."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.paired import Row
from dayfly.contract.jobs import JobHandle, JobSpec, JobState, JobStatus, Submission, Submitted
from dayfly.contract.provider import Description
from dayfly.contract.services import Services
from dayfly.jobs import Jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dayfly.contract.jobs import Progress

JOBS = 1000
RUN_SECONDS = 20.0
DESCRIPTION = Description(
    provider="bench", version="0.0.0", honours=frozenset({"command"}), statuses_per_call=100
)


class Provider:
    """Launches at once; every job ends when ``finish`` was called. It keeps nothing of them."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self._state = JobState.RUNNING

    async def describe(self) -> Description:
        """Takes any handles a hundred at a time, at the usual pace."""
        return DESCRIPTION

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """The job runs at once."""
        del report
        return Submitted(handle=JobHandle(id=f"job-{submission.key}", name=submission.spec.name))

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """All stand alike."""
        self.batches.append(len(handles))
        return [JobStatus(handle=handle, state=self._state) for handle in handles]

    def finish(self) -> None:
        """Every job has ended."""
        self._state = JobState.SUCCEEDED


@dataclass(frozen=True)
class Flight:
    """What it took to launch the jobs, watch them for ``RUN_SECONDS``, and see them end."""

    cpu_seconds: float
    bytes_in_flight: int
    batches: Sequence[int]


async def fly(*, traced: bool, seconds: float, apart: float) -> Flight:
    provider = Provider()
    services = Services(submitter=provider, observer=provider)  # type: ignore[arg-type]
    async with Jobs(services, provider="bench") as jobs:
        await (await jobs.launch(JobSpec(command=("warm", "up")))).status()
        provider.batches.clear()
        gc.collect()
        if traced:
            tracemalloc.start()
        began = time.process_time()
        waits = []
        for _ in range(JOBS):
            job = await jobs.launch(JobSpec(command=("true",)))
            waits.append(asyncio.create_task(job.wait()))
            await asyncio.sleep(apart)
        provider.batches.clear()
        await asyncio.sleep(seconds)
        gc.collect()
        in_flight = tracemalloc.get_traced_memory()[0] if traced else 0
        tracemalloc.stop()
        provider.finish()
        await asyncio.gather(*waits)
        return Flight(time.process_time() - began, in_flight, provider.batches)


def measure() -> list[Row]:
    """Memory in a flight of its own: tracing it costs CPU."""
    timed = asyncio.run(fly(traced=False, seconds=RUN_SECONDS, apart=0.003))
    traced = asyncio.run(fly(traced=True, seconds=1.0, apart=0.003))
    kib = traced.bytes_in_flight / 1024 / JOBS
    milliseconds = timed.cpu_seconds * 1000 / JOBS
    looks, calls = sum(timed.batches), len(timed.batches)
    fewest = looks / DESCRIPTION.statuses_per_call
    return [
        Row(f"memory a job, {JOBS} in flight", f"{kib:.1f} KiB", "under 10 KiB", kib < 10),
        Row(
            f"CPU a job, launched and watched for {RUN_SECONDS:.0f} s",
            f"{milliseconds:.2f} ms",
            "under 5 ms",
            milliseconds < 5,
        ),
        Row(
            f"status calls for {looks} looks in batches of {DESCRIPTION.statuses_per_call}",
            f"{calls} ({calls / fewest:.2f} a full batch)",
            "at most 1.1 a full batch",
            calls <= fewest * 1.1,
        ),
    ]
