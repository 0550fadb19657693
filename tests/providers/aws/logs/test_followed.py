"""Jobs of the emulator, followed to their end."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws import PUBLISHED_RATES, Fault
from tests.providers.aws.logs.conftest import (
    FOLLOW,
    GROUP,
    REGION,
    are_over,
    ended,
    launch,
    lines,
    run,
)

from dayfly.contract.jobs import JobHandle, JobState, JobStatus, LogQuery
from dayfly.contract.provider import Description
from dayfly.jobs.follow import Follow
from dayfly.jobs.timing import Timing
from dayfly.providers.aws.client import RATES, Aws
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.observer import Observer
from dayfly.providers.aws.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dayfly.contract.jobs import LogBatch
    from dayfly.providers.aws.logs.reader import LogPlace, LogReader


async def test_no_page_comes_twice_or_out_of_order_from_a_running_job(
    emulator: Any, make_aws: Any, make_reader: Any
) -> None:
    emulator.change(log_lag_seconds=0.1, log_reorder_seconds=0.3, log_empty_page_every=3)
    aws, reader = make_aws(endpoint_url=emulator.url), make_reader(emulator.url, settle=0.4)
    job = await launch(aws, lines=400, run_seconds=1.5)
    cursor, had = "", b""
    async with asyncio.timeout(20):
        while had.count(b"\n") < 400:
            for batch in await reader.page(job, LogQuery(follow=True, cursor=cursor)):
                had += batch.data
                cursor = batch.cursor
            await asyncio.sleep(0.02)
    assert had.decode() == lines(*(f"line {n}" for n in range(400)))
    assert all(a["startTime"] <= b["startTime"] for a, b in pairwise(
        members for name, members in emulator.requests
        if name == "logs.GetLogEvents" and "startTime" in members
    ))  # fmt: skip


async def test_who_does_not_follow_gets_every_page(emulator: Any, unpaced: Aws) -> None:
    job = await launch(unpaced, lines=25_000, run_seconds=0.1)
    await ended(unpaced, job)
    session = Session()
    await session.configure(Config(region=REGION, endpoint_url=emulator.url, log_settle_seconds=0))
    task = job.stream.rsplit("/")[-1]
    about = {
        "runner": "ecs", "region": REGION, "cluster": "default", "container": "job",
        "log_group": GROUP, "log_prefix": "dayfly",
    }  # fmt: skip
    handle = JobHandle(id=f"arn:aws:ecs:{REGION}:123456789012:task/default/{task}", metadata=about)
    observer = Observer(session)
    whole = b"".join([batch.data async for batch in observer.logs(handle, LogQuery())])
    assert whole.decode() == lines(*(f"line {n}" for n in range(25_000)))
    tail = [batch.data async for batch in observer.logs(handle, LogQuery(tail_lines=20_000))]
    assert b"".join(tail).decode() == lines(*(f"line {n}" for n in range(5_000, 25_000)))
    page = b"".join([batch.data async for batch in observer.logs(handle, FOLLOW)])
    assert page.decode() == lines(*(f"line {n}" for n in range(10_000)))
    await session.close()


class Followed:
    """Jobs of the emulator as ``jobs`` follows them.

    Attributes:
        pages: How often each job's output was asked for.
    """

    def __init__(self, reader: LogReader, places: dict[str, LogPlace]) -> None:
        self.pages: Counter[str] = Counter()
        self._reader, self._places = reader, places
        self._ends: dict[str, asyncio.Future[JobStatus]] = {
            job: asyncio.get_running_loop().create_future() for job in places
        }

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        raise NotImplementedError

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        self.pages[handle.id] += 1
        where = replace(self._places[handle.id], ended=self._ends[handle.id].done())
        for batch in await self._reader.page(where, query):
            yield batch

    async def output(self, job: str) -> str:
        description = Description(
            provider="aws", version="1", honours=frozenset(), log_drain_seconds=2.5
        )
        query, handle = LogQuery(follow=True), JobHandle(id=job)
        reading = Follow(self, description, Timing(), lambda: handle, query)
        batches = reading.to_the_end(self._ends[job])
        return b"".join([batch.data async for batch in batches]).decode()

    async def watch(self, aws: Any) -> None:
        while True:
            running = [job for job, end in self._ends.items() if not end.done()]
            if not running:
                return
            over = await are_over(aws, [self._places[job] for job in running])
            for job, is_over in zip(running, over, strict=True):
                if is_over:
                    status = JobStatus(
                        handle=JobHandle(id=job), state=JobState.SUCCEEDED, ended=datetime.now(UTC)
                    )
                    self._ends[job].set_result(status)
            await asyncio.sleep(0.2)


async def follow(
    aws: Any, reader: LogReader, count: int, printed: int, **behaviour: Any
) -> Followed:
    """Follow so many jobs of so many lines at once, and see that each line came."""
    first = await launch(aws, lines=0)
    started = [run(aws, lines=printed, text=f"{n} {{i}}", **behaviour) for n in range(count)]
    places = {str(n): where for n, where in enumerate(await asyncio.gather(*started))}
    assert first not in places.values()
    followed = Followed(reader, places)
    outputs, _ = await asyncio.gather(
        asyncio.gather(*map(followed.output, places)), followed.watch(aws)
    )
    for job, text in zip(places, outputs, strict=True):
        assert text == lines(*(f"{job} {n}" for n in range(printed))), job
    return followed


@pytest.mark.parametrize(("printed", "refuses"), [(1000, True), (20, False)])
async def test_a_hundred_jobs_cost_about_a_call_a_round(
    emulator: Any, unpaced: Aws, make_reader: Any, printed: int, refuses: bool
) -> None:
    rates = {name: rate for name, rate in PUBLISHED_RATES.items() if name.startswith("logs.")}
    emulator.change(
        filter_tolerates_missing_streams=not refuses, check_responses=False, rates=rates
    )
    reader = make_reader(emulator.url, settle=0.5, rates=RATES)
    followed = await follow(unpaced, reader, 100, printed, run_seconds=2.0)
    rounds = max(followed.pages.values())
    merged, alone = (emulator.calls[f"logs.{name}LogEvents"] for name in ("Filter", "Get"))
    # A page holds 10,000 lines; some are read again where the last page stopped.
    assert merged <= 1.4 * rounds + 2 * 100 * printed / 10_000
    assert sum(followed.pages.values()) > 10 * merged
    # Once for each, to see whether it is there, where the call for all was refused.
    assert alone <= (120 if refuses else 40)


@pytest.mark.parametrize(
    "knobs",
    [
        {"log_lag_seconds": 0.5, "log_reorder_seconds": 0.4, "log_empty_page_every": 3},
        {"faults": (Fault(kind="throttled", operation="logs", every=5),
                    Fault(kind="reset_after", operation="logs", every=7))},
        {"log_streams_appear_at_start": True, "latency_seconds": 0.1},
    ],
    ids=["late", "faults", "slow"],
)  # fmt: skip
async def test_jobs_are_followed_to_their_end_whatever_happens(
    emulator: Any, unpaced: Aws, make_reader: Any, knobs: dict[str, Any]
) -> None:
    emulator.change(**knobs)
    reader = make_reader(emulator.url, settle=0.5)
    await follow(unpaced, reader, 12, 150, run_seconds=1.5)
