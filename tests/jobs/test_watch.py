"""One watch sees every end, with few calls, through errors, events and blind moments."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.jobs.conftest import SHORT
from tests.jobs.scripted import QUICK, lost_answer

from dayfly.contract.errors import (
    DeadlinePassed,
    NotFound,
    NotServed,
    PermissionDenied,
    ProviderFailed,
    Stopped,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from dayfly.contract.jobs import JobHandle, JobSpec, JobState, JobStatus, Reason

ECHO = JobSpec(command=("/bin/echo", "hello"))


async def launched(jobs, count):
    return [await jobs.launch(ECHO, f"k{number}") for number in range(count)]


@pytest.mark.parametrize("code", [0, 7])
async def test_the_end_is_the_providers_word(opened, provider, journal, code):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends(code, evidence="exit status", message="done")
        status = await job.wait()
    assert status == provider.only.status
    assert journal.find(job.key).end == status


async def test_an_exit_code_that_is_not_given_stays_unknown(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends(None)
        assert (await job.wait()).exit_code is None


async def test_many_who_wait_for_one_job_cost_no_more_looks(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        waits = [asyncio.create_task(job.wait()) for _ in range(50)]
        await asyncio.sleep(0.03)
        provider.only.ends(5)
        ends = await asyncio.gather(*waits)
    assert {status.exit_code for status in ends} == {5}
    assert provider.calls["statuses"] < 10


async def test_a_thousand_jobs_are_looked_at_in_full_batches_by_one_task(opened, provider):
    provider.description = replace(QUICK, poll_min_seconds=0.2, poll_max_seconds=0.2)
    async with opened() as jobs:
        many = await launched(jobs, 1000)
        others = len(asyncio.all_tasks())
        waits = [asyncio.create_task(job.wait()) for job in many]
        async with asyncio.timeout(20):
            while sum(provider.batches) < 3000:
                assert len(asyncio.all_tasks()) - others - len(waits) <= 5
                await asyncio.sleep(0.01)
        assert provider.batches[:10] == [100] * 10
        assert len(provider.batches) <= sum(provider.batches) / 100 * 1.2
        for number, job in enumerate(provider.jobs.values()):
            job.ends(number % 200)
        ends = await asyncio.gather(*waits)
    assert [status.exit_code for status in ends] == [number % 200 for number in range(1000)]
    assert max(provider.batches) == 100


async def test_looks_grow_rarer_with_age(opened, provider):
    provider.description = replace(QUICK, poll_min_seconds=0.001, poll_max_seconds=60)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.8)
        looks = provider.calls["statuses"]
        provider.only.ends()
        await waiting
    # 800 at a steady pace; growing by a tenth from each look to the next, about 60.
    assert 10 < looks < 120


async def test_the_pace_that_a_provider_allows_is_kept(opened, provider):
    provider.description = replace(QUICK, statuses_per_call=1, calls_per_second=50.0)
    async with opened() as jobs:
        waits = [asyncio.create_task(job.wait()) for job in await launched(jobs, 10)]
        await asyncio.sleep(0.3)
        assert 10 <= provider.calls["statuses"] <= 17
        for task in waits:
            task.cancel()
        for job in provider.jobs.values():
            job.ends()
        await asyncio.wait(waits)


async def test_a_throttled_provider_is_left_alone_as_long_as_it_asks(opened, provider):
    provider.description = replace(QUICK, statuses_per_call=1)
    provider.faults["statuses"].append(Throttled("slow down", retry_after_seconds=0.2))
    async with opened() as jobs:
        first, second = await launched(jobs, 2)
        provider.jobs[first.handle.id].ends()
        waiting = asyncio.create_task(first.wait())
        await asyncio.sleep(0.05)
        began = asyncio.get_running_loop().time()
        await second.status()
        assert asyncio.get_running_loop().time() - began >= 0.1
        await waiting


async def test_errors_that_pass_do_not_end_the_watch(opened, provider):
    provider.faults["statuses"].extend([lost_answer(), DeadlinePassed("slow"), lost_answer()])
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends(6)
        assert (await job.wait()).exit_code == 6


async def test_nothing_but_passing_errors_ends_at_the_deadline(opened, provider):
    provider.faults["statuses"].extend([lost_answer()] * 1000)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(Unavailable, match=r"tried for 0\.4 s to see how .* reset"):
            await job.wait()


async def test_an_error_that_stays_ends_the_watch_with_its_cause(opened, provider):
    provider.faults["statuses"].append(Unauthenticated("the token has expired"))
    async with opened() as jobs:
        waits = [job.wait() for job in await launched(jobs, 3)]
        found = await asyncio.gather(*waits, return_exceptions=True)
        assert [str(error) for error in found] == ["the token has expired"] * 3
        assert len({id(error) for error in found}) == 3
        provider.jobs["job-0"].ends()
        assert (await jobs.attach(JobHandle(id="job-0")).wait()).exit_code == 0


@pytest.mark.parametrize("error", [NotFound, PermissionDenied])
async def test_an_error_about_one_job_does_not_hide_the_others(opened, provider, error):
    class Picky(type(provider)):
        async def statuses(self, handles):
            if any(handle.id == "job-3" for handle in handles):
                raise error("job-3 is of another account")
            return await super().statuses(handles)

    provider.__class__ = Picky
    async with opened() as jobs:
        many = await launched(jobs, 8)
        for job in provider.jobs.values():
            job.ends()
        found = await asyncio.gather(*(job.wait() for job in many), return_exceptions=True)
    assert isinstance(found.pop(3), error)
    assert {status.state for status in found} == {JobState.SUCCEEDED}


async def test_an_answer_about_other_jobs_is_never_taken_for_an_end(opened, provider):
    class Mixed(type(provider)):
        async def statuses(self, handles):
            return tuple(reversed(await super().statuses(handles)))

    provider.__class__ = Mixed
    async with opened() as jobs:
        waits = [job.wait() for job in await launched(jobs, 2)]
        found = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(error) for error in found] == [ProviderFailed] * 2


async def test_a_watch_that_breaks_tells_whoever_waits(opened, provider):
    provider.faults["statuses"].append(ZeroDivisionError("a bug"))
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(ProviderFailed, match="ZeroDivisionError"):
            await job.wait()
        provider.only.ends()
        assert (await job.wait()).state is JobState.SUCCEEDED


async def test_a_job_may_be_invisible_at_first(opened, provider):
    provider.description = replace(QUICK, visibility_grace_seconds=0.3)
    provider.hidden = 3
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends(2)
        assert (await job.wait()).exit_code == 2


async def test_a_job_without_a_record_is_lost_after_the_grace(opened, provider, journal):
    provider.description = replace(QUICK, visibility_grace_seconds=0.1)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        record = provider.jobs.pop(job.handle.id)
        began = asyncio.get_running_loop().time()
        status = await job.wait()
        assert asyncio.get_running_loop().time() - began >= 0.1
        assert (status.state, status.reason) == (JobState.UNKNOWN, Reason.LOST)
        assert status.exit_code is None
        assert journal.find(job.key).end is None
        record.ends()
        provider.jobs[job.handle.id] = record
        assert (await job.wait()).state is JobState.SUCCEEDED


async def test_an_end_that_was_seen_stays(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends(9)
        first = await job.wait()
        provider.jobs.clear()
        assert await job.wait() == first
        assert await job.status() == first
    async with opened() as jobs:
        again = jobs.attach(job.handle, key=job.key)
        assert await again.wait() == first
        assert await again.status() == first
        assert (await jobs.attach(job.handle).status()).state is JobState.UNKNOWN


async def test_a_wait_is_bounded_and_leaves_the_job(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(DeadlinePassed, match=r"waited 0\.05 s"):
            await job.wait(0.05)
        provider.only.ends()
        assert (await job.wait(1)).final
    assert provider.calls["cancel_job"] == 0


async def test_closing_tells_whoever_still_waits(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.02)
    with pytest.raises(Stopped, match="was closed"):
        await waiting
    assert provider.only.status.state is JobState.RUNNING


class TestEvents:
    """Events wake the watch; they are never the truth."""

    @pytest.fixture
    def provider(self, provider):
        provider.description = replace(QUICK, poll_min_seconds=30, poll_max_seconds=30)
        return provider

    async def test_they_wake_it(self, opened, provider):
        async with opened(provider.services(events=True)) as jobs:
            job = await jobs.launch(ECHO)
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0.05)
            provider.only.ends(3)
            provider.changed.put_nowait(job.handle.id)
            async with asyncio.timeout(1):
                assert (await waiting).exit_code == 3
        assert provider.calls["statuses"] <= 3

    async def test_many_at_once_are_one_look(self, opened, provider):
        async with opened(provider.services(events=True)) as jobs:
            waits = [asyncio.create_task(job.wait()) for job in await launched(jobs, 50)]
            await asyncio.sleep(0.05)
            before = provider.calls["statuses"]
            for job in provider.jobs.values():
                job.ends()
                provider.changed.put_nowait(job.handle.id)
            async with asyncio.timeout(1):
                await asyncio.gather(*waits)
        assert provider.calls["statuses"] - before == 1

    async def test_one_that_says_nothing_new_is_no_end(self, opened, provider):
        async with opened(provider.services(events=True)) as jobs:
            job = await jobs.launch(ECHO)
            provider.changed.put_nowait(job.handle.id)
            provider.changed.put_nowait("of somebody else")
            with pytest.raises(DeadlinePassed):
                await job.wait(0.1)

    async def test_a_broken_stream_is_opened_again_and_misses_nothing(self, opened, provider):
        provider.faults["events"].extend([lost_answer(), None])
        async with opened(provider.services(events=True)) as jobs:
            job = await jobs.launch(ECHO)
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0.05)
            provider.only.ends()
            provider.changed.put_nowait(None)  # It ends, and nobody hears of the change.
            async with asyncio.timeout(1):
                await waiting
        assert provider.calls["events"] >= 2

    async def test_a_plugin_without_them_is_looked_at_without(self, opened, provider):
        provider.description = QUICK
        provider.faults["events"].append(NotServed("no such service"))
        async with opened(provider.services(events=True)) as jobs:
            job = await jobs.launch(ECHO)
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0.05)
            provider.only.ends()
            async with asyncio.timeout(1):
                await waiting
        assert provider.calls["events"] == 1

    async def test_a_change_during_a_look_is_looked_at_again(self, opened, provider):
        provider.delay["statuses"] = 0.05
        async with opened(provider.services(events=True)) as jobs:
            job = await jobs.launch(ECHO)
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0.02)
            stale = JobStatus(handle=job.handle, state=JobState.RUNNING)
            original, provider._status = provider._status, lambda handle: stale
            provider.changed.put_nowait(job.handle.id)
            await asyncio.sleep(0.04)
            provider._status = original
            provider.only.ends()
            async with asyncio.timeout(1):
                await waiting


async def test_status_is_a_fresh_look(opened, provider, journal):
    async with opened(timing=SHORT) as jobs:
        job = await jobs.launch(ECHO)
        assert (await job.status()).state is JobState.RUNNING
        provider.only.ends(1)
        assert (await job.status()).exit_code == 1
    assert journal.find(job.key).end.exit_code == 1


async def test_one_blind_look_at_an_old_job_is_not_its_loss(opened, provider):
    provider.description = replace(QUICK, visibility_grace_seconds=0.2)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.3)
        provider.hidden = 1
        await asyncio.sleep(0.1)
        provider.only.ends(0)
        assert (await waiting).state is JobState.SUCCEEDED


async def test_a_look_that_comes_late_takes_no_newer_watch_along(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.03)
        provider.delay["statuses"] = 0.2
        await asyncio.sleep(0.06)  # A look is on its way.
        (await jobs._engine()).watch.fail(job.handle, Unavailable("the stop failed"))
        with pytest.raises(Unavailable):
            await waiting
        again = asyncio.create_task(job.wait())
        await asyncio.sleep(0.25)
        provider.delay["statuses"] = 0
        provider.only.ends(0)
        assert (await asyncio.wait_for(again, 2)).exit_code == 0
