"""A job that never ran, for a reason that may pass, is launched again, and nobody notices."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.jobs.conftest import SHORT
from tests.jobs.scripted import Scripted, ScriptedJob, lost_answer

from dayfly.contract.errors import DeadlinePassed, PermissionDenied, ProviderFailed
from dayfly.contract.jobs import JobSpec, JobState, Reason, Submission, Submitted

SPEC = JobSpec(command=("echo",))
NO_ROOM = {"state": JobState.FAILED, "reason": Reason.NO_CAPACITY, "may_pass": True}


class Crowded(Scripted):
    """Has no room for the first jobs of a key, and starts one for each pair of key and job."""

    def __init__(self, full: int) -> None:
        super().__init__()
        self.full = full

    async def submit(self, submission: Submission, report: object) -> Submitted:
        self.sent.append(submission)
        await self._called("submit")
        for job in self.jobs.values():
            if job.submission == submission:
                return Submitted(handle=job.handle, adopted=True)
        job = self._start(submission)
        if len(self.jobs) <= self.full:
            job.ends(None, **NO_ROOM)
        if self.lost:
            self.lost -= 1
            raise lost_answer()
        return Submitted(handle=job.handle)


def last(provider: Scripted) -> ScriptedJob:
    return list(provider.jobs.values())[-1]


async def started(provider: Scripted, count: int) -> ScriptedJob:
    async with asyncio.timeout(2):
        while len(provider.jobs) < count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.002)
    return last(provider)


@pytest.fixture
def provider() -> Crowded:
    return Crowded(full=2)


async def test_it_runs_at_the_third_launch_and_every_reader_goes_along(provider, opened, journal):
    async with opened() as jobs:
        job = await jobs.launch(SPEC, "k")
        reading = asyncio.create_task(_read(job))
        waiting = asyncio.create_task(job.wait())
        third = await started(provider, 3)
        third.prints(b"hello\n")
        third.ends(0)
        assert (await waiting).state is JobState.SUCCEEDED
        assert await reading == b"hello\n"
        assert job.handle == third.handle
    assert [s.instead_of for s in provider.sent] == ["", "job-0", "job-1"]
    assert {s.key for s in provider.sent} == {"k"}
    entry = journal.get("prod", "k")
    assert (entry.handle, entry.end.state) == (third.handle, JobState.SUCCEEDED)


async def test_a_lost_answer_of_a_further_launch_makes_no_second_one(provider, opened):
    async with opened() as jobs:
        job = await jobs.launch(SPEC, "k")
        provider.lost = 1
        provider.on_submit = lambda made: made.ends(0) if len(provider.jobs) == 3 else None
        assert (await job.wait()).exit_code == 0
    assert len(provider.jobs) == 3


async def test_the_deadline_of_a_launch_holds_for_all_of_them(opened, provider):
    provider.full = 10_000
    async with opened(timing=replace(SHORT, launch_deadline=0.05)) as jobs:
        job = await jobs.launch(SPEC, "k")
        end = await job.wait()
        assert (end.state, end.reason) == (JobState.FAILED, Reason.NO_CAPACITY)
    assert 2 < len(provider.jobs) < 40


async def test_a_cancel_ends_it_instead(opened, provider):
    provider.full = 10_000
    async with opened(timing=replace(SHORT, backoff_first=0.1)) as jobs:
        job = await jobs.launch(SPEC, "k")
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.03)
        assert (await job.cancel()).reason is Reason.NO_CAPACITY
        await waiting
    assert len(provider.jobs) == 1


async def test_a_cancel_meets_the_launch_on_its_way_and_stops_what_it_started(opened, provider):
    provider.full = 1
    async with opened(timing=replace(SHORT, backoff_first=0.001, withdrawal=0.5)) as jobs:
        job = await jobs.launch(SPEC, "k")
        provider.delay["submit"] = 0.1
        waiting = asyncio.create_task(job.wait())
        async with asyncio.timeout(2):
            while provider.calls["submit"] < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.002)
        assert (await job.cancel()).state is JobState.CANCELLED
        assert (await waiting).state is JobState.CANCELLED
    assert last(provider).status.state is JobState.CANCELLED


async def test_a_look_in_between_does_not_take_the_first_end_for_the_last(opened, provider):
    provider.full = 1
    async with opened(timing=replace(SHORT, backoff_first=0.05)) as jobs:
        job = await jobs.launch(SPEC, "k")
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.02)
        assert (await job.status()).may_pass
        second = await started(provider, 2)
        second.ends(0)
        assert (await waiting).state is JobState.SUCCEEDED
        assert (await job.status()).state is JobState.SUCCEEDED


async def test_what_another_command_wrote_of_the_first_is_not_the_end(opened, provider, journal):
    provider.full = 1
    async with opened(timing=replace(SHORT, backoff_first=0.05)) as jobs, opened() as others:
        job = await jobs.launch(SPEC, "k")
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.02)
        assert (await others.attach(job.handle, key="k").status()).may_pass
        assert journal.get("prod", "k").end is not None
        (await started(provider, 2)).ends(0)
        assert (await waiting).state is JobState.SUCCEEDED
    assert journal.get("prod", "k").end.state is JobState.SUCCEEDED


async def test_a_cancel_does_not_wait_for_the_pause(opened, provider):
    async with opened(timing=replace(SHORT, backoff_first=5, launch_deadline=60)) as jobs:
        job = await jobs.launch(SPEC, "k")
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.03)
        async with asyncio.timeout(0.3):
            assert (await job.cancel()).reason is Reason.NO_CAPACITY
            await waiting
    assert len(provider.jobs) == 1


async def test_a_refusal_of_a_further_launch_is_the_end_of_the_watch(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(SPEC, "k")
        provider.faults["submit"].append(PermissionDenied("no longer allowed"))
        with pytest.raises(PermissionDenied, match="no longer allowed"):
            await job.wait()


async def test_a_cancel_ends_a_launch_that_keeps_failing(opened, provider):
    provider.full = 1
    slow = replace(SHORT, launch_deadline=30, backoff_first=0.01, backoff_max=0.02)
    async with opened(timing=slow) as jobs:
        job = await jobs.launch(SPEC, "k")
        provider.faults["submit"].extend([lost_answer()] * 10_000)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.1)
        assert (await job.cancel()).reason is Reason.NO_CAPACITY
        await waiting
        tried = provider.calls["submit"]
        await asyncio.sleep(0.1)
        assert provider.calls["submit"] == tried


async def test_a_cancel_by_another_command_counts(opened, provider):
    provider.full = 1
    async with opened(timing=replace(SHORT, backoff_first=0.2)) as jobs, opened() as others:
        job = await jobs.launch(SPEC, "k")
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.05)
        await others.attach(job.handle, key="k").cancel()
        assert (await waiting).reason is Reason.NO_CAPACITY
    assert len(provider.jobs) == 1


async def test_whatever_breaks_a_further_launch_nobody_waits_for_ever(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(SPEC, "k")
        provider.faults["submit"].append(KeyError("taskDefinition"))
        with pytest.raises(ProviderFailed, match="taskDefinition"):
            await job.wait(timeout=2)


async def test_who_only_attached_sees_the_end_as_it_is(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(SPEC, "k", detached=True)
        end = await jobs.attach(job.handle).wait()
        assert (end.reason, end.may_pass) == (Reason.NO_CAPACITY, True)
    assert len(provider.jobs) == 1


async def _read(job) -> bytes:
    return b"".join([batch.data async for batch in job.output()])


async def test_a_cancel_that_cannot_tell_whether_a_further_job_started_says_so(opened, provider):
    """The provider still shows the job before, and a new one may be invisible."""
    provider.full = 1
    provider.description = replace(provider.description, visibility_grace_seconds=60)
    slow = replace(SHORT, launch_deadline=30, backoff_first=0.01, backoff_max=0.02)
    async with opened(timing=slow) as jobs:
        job = await jobs.launch(SPEC, "k")
        provider.faults["submit"].extend([lost_answer()] * 10_000)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.1)
        with pytest.raises(DeadlinePassed, match="may be invisible"):
            await job.cancel()
        with pytest.raises(DeadlinePassed):
            await waiting
