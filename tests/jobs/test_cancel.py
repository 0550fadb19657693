"""A cancel is a stop that the provider has confirmed; so is a timeout kept here."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest
from tests.jobs.conftest import aged
from tests.jobs.scripted import QUICK, lost_answer

from dayfly.contract.errors import (
    DeadlinePassed,
    FailedPrecondition,
    InvalidField,
    NotServed,
    PermissionDenied,
    Unavailable,
)
from dayfly.contract.jobs import JobSpec, JobState, Reason

ECHO = JobSpec(command=("/bin/echo", "hello"))
LIMITED = JobSpec(command=("/bin/sleep", "9"), timeout_seconds=1)


async def cancelled_while(coroutine, after=0.02):
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancel_returns_the_confirmed_end(opened, provider, journal):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        status = await job.cancel()
    assert status == provider.only.status
    assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
    entry = journal.find(job.key)
    assert entry.cancel_requested
    assert entry.end == status


async def test_a_request_is_tried_again_while_its_errors_may_pass(opened, provider):
    provider.faults["cancel_job"].extend([lost_answer(), lost_answer()])
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        assert (await job.cancel()).state is JobState.CANCELLED
    assert provider.calls["cancel_job"] == 3


async def test_a_request_gives_up_at_its_deadline(opened, provider):
    provider.faults["cancel_job"].extend([lost_answer()] * 1000)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(Unavailable, match=r"tried for 0\.4 s to stop echo-"):
            await job.cancel()


async def test_a_stop_that_is_not_confirmed_is_an_error_that_says_what_is_seen(opened, provider):
    provider.heeds_stop = False
    async with opened() as jobs:
        job = await jobs.launch(replace(ECHO, name="stubborn"))
        with pytest.raises(
            DeadlinePassed, match=r"stop of stubborn, .* its state is RUNNING"
        ) as it:
            await job.cancel()
        assert "dayfly status stubborn" in it.value.advice


async def test_a_job_that_ended_already_is_as_it_was(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends(3)
        await job.wait()
        assert (await job.cancel()).exit_code == 3
        assert provider.calls["cancel_job"] == 0
        assert (await jobs.attach(job.handle).cancel()).exit_code == 3


async def test_a_provider_that_cannot_stop_jobs_is_refused_by_name(opened, provider, journal):
    async with opened(provider.services("canceler")) as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(NotServed, match="'prod' cannot stop jobs"):
            await job.cancel()
    assert not journal.find(job.key).cancel_requested


async def test_cancelling_the_task_that_waits_stops_the_job(opened, provider):
    provider.delay["cancel_job"] = 0.03
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        await cancelled_while(job.wait())
        assert provider.only.status.state is JobState.CANCELLED
        assert (await job.wait()).state is JobState.CANCELLED


async def test_cancelling_it_twice_does_not_take_the_stop_back(opened, provider):
    provider.delay["cancel_job"] = 0.05
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        task = asyncio.create_task(job.wait())
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await job.wait(1)).state is JobState.CANCELLED


async def test_a_stop_that_fails_on_the_way_out_is_said(opened, provider, caplog):
    provider.faults["cancel_job"].append(PermissionDenied("may not stop tasks"))
    async with opened() as jobs:
        job = await jobs.launch(replace(ECHO, name="mine"))
        with caplog.at_level(logging.WARNING, "dayfly.jobs"):
            await cancelled_while(job.wait())
    assert "mine may still run: may not stop tasks" in caplog.text


async def test_cancelling_the_wait_of_a_detached_job_leaves_it(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO, detached=True)
        await cancelled_while(job.wait())
        await cancelled_while(jobs.attach(job.handle).wait())
    assert provider.calls["cancel_job"] == 0


async def test_cancelling_the_task_around_stops_all_that_is_not_detached(opened, provider):
    ready = asyncio.Event()

    async def work():
        async with opened() as jobs:
            for number in range(5):
                await jobs.launch(ECHO, f"k{number}", detached=number == 0)
            provider.jobs["job-1"].ends(0)
            ready.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await ready.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    states = [job.status.state for job in provider.jobs.values()]
    assert states == [JobState.RUNNING, JobState.SUCCEEDED, *[JobState.CANCELLED] * 3]


async def test_leaving_without_a_cancel_leaves_the_jobs(opened, provider):
    async with opened() as jobs:
        await jobs.launch(ECHO)
    assert provider.only.status.state is JobState.RUNNING


class TestTimeout:
    """A provider that keeps no timeout: it is kept here."""

    async def test_it_stops_the_job_and_says_so(self, opened, provider, journal):
        async with opened() as jobs:
            job = await jobs.launch(LIMITED, "k1")
            assert provider.only.submission.spec.timeout_seconds is None
            async with asyncio.timeout(3):
                status = await job.wait()
            assert await job.status() == status
            assert (await jobs.attach(job.handle, key="k1").status()) == status
        assert (status.state, status.reason) == (JobState.FAILED, Reason.TIMED_OUT)
        assert (status.exit_code, status.signal) == (143, 15)
        assert "its timeout of 1 s" in status.message
        assert journal.find("k1").end == status

    async def test_a_job_that_ends_in_time_is_left_alone(self, opened, provider):
        async with opened() as jobs:
            job = await jobs.launch(LIMITED)
            provider.only.ends(0)
            assert (await job.wait()).state is JobState.SUCCEEDED
            await asyncio.sleep(1.1)
        assert provider.calls["cancel_job"] == 0

    async def test_a_job_that_ended_by_itself_at_the_last_moment_did_not_time_out(
        self, opened, provider
    ):
        provider.heeds_stop = False
        async with opened() as jobs:
            job = await jobs.launch(LIMITED)
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(1.05)
            provider.only.ends(0)
            assert (await waiting).reason is Reason.COMPLETED

    async def test_a_stop_that_fails_ends_the_wait_with_its_cause(self, opened, provider):
        provider.faults["cancel_job"].append(PermissionDenied("may not stop tasks"))
        async with opened() as jobs:
            job = await jobs.launch(LIMITED)
            with pytest.raises(PermissionDenied, match="may not stop") as caught:
                await job.wait()
        told = f"{job.name} was not stopped when its timeout of 1 s had passed: may not stop tasks"
        assert caught.value.message == told
        assert caught.value.advice == f"It may go on; stop it: dayfly cancel {job.name}."

    async def test_a_stop_that_its_plugin_turns_out_not_to_have_is_somebody_elses(
        self, opened, provider
    ):
        provider.faults["cancel_job"].append(NotServed("a stub"))
        async with opened() as jobs:
            job = await jobs.launch(LIMITED)
            with pytest.raises(NotServed, match="was not stopped when its timeout") as caught:
                await job.wait()
        assert caught.value.advice == "It goes on; stop it at the provider itself."

    async def test_a_stop_that_is_not_confirmed_ends_the_wait(self, opened, provider):
        provider.heeds_stop = False
        async with opened() as jobs:
            job = await jobs.launch(LIMITED)
            async with asyncio.timeout(5):
                with pytest.raises(DeadlinePassed, match="it has not ended"):
                    await job.wait()

    async def test_it_counts_from_the_launch_also_for_who_comes_back(
        self, opened, provider, journal
    ):
        async with opened() as jobs:
            await jobs.launch(LIMITED, "k1")
        aged(journal, "k1", 1.05)
        assert provider.calls["cancel_job"] == 0
        async with opened() as jobs:
            again = await jobs.launch(LIMITED, "k1")
            async with asyncio.timeout(0.9):
                assert (await again.wait()).reason is Reason.TIMED_OUT

    async def test_it_cannot_be_kept_for_a_detached_job(self, opened, provider):
        async with opened() as jobs:
            with pytest.raises(InvalidField, match="'prod' does not keep a timeout") as caught:
                await jobs.launch(LIMITED, detached=True)
        assert caught.value.field == "timeout_seconds"
        assert provider.sent == []

    async def test_it_cannot_be_kept_without_a_stop(self, opened, provider):
        async with opened(provider.services("canceler")) as jobs:
            with pytest.raises(InvalidField, match="cannot stop jobs"):
                await jobs.launch(LIMITED)

    async def test_a_provider_that_keeps_it_gets_it(self, opened, provider):
        provider.description = replace(QUICK, honours=QUICK.honours | {"timeout_seconds"})
        async with opened() as jobs:
            job = await jobs.launch(LIMITED, detached=True)
            assert provider.only.submission.spec.timeout_seconds == 1
            provider.only.ends(137, reason=Reason.TIMED_OUT)
            assert (await job.wait()).reason is Reason.TIMED_OUT


async def test_delete_removes_what_is_left(opened, provider, journal):
    provider.faults["delete"].append(lost_answer())
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends()
        await job.wait()
        await job.delete()
    assert provider.jobs == {}
    assert journal.find(job.key).deleted is not None


async def test_a_job_that_runs_is_not_deleted(opened, provider, journal):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(FailedPrecondition, match="has not ended"):
            await job.delete()
    assert journal.find(job.key).deleted is None


async def test_list_and_prune_ask_the_provider(opened, provider):
    provider.faults["list_jobs"].append(lost_answer())
    async with opened() as jobs:
        job = await jobs.launch(ECHO, "k1")
        provider.only.ends()
        assert [listed.key for listed in await jobs.list()] == ["k1"]
        dry = await jobs.prune(dry_run=True, older_than_seconds=0)
        assert len(provider.jobs) == 1
        assert await jobs.prune(dry_run=False, older_than_seconds=0) == dry
        assert dry[0].name == job.handle.id
    assert provider.jobs == {}


async def test_without_an_inventory_they_are_refused_by_name(opened, provider):
    async with opened(provider.services("inventory")) as jobs:
        job = await jobs.launch(ECHO)
        for call in (jobs.list(), jobs.prune(dry_run=True, older_than_seconds=0), job.delete()):
            with pytest.raises(NotServed, match="'prod' cannot list or remove jobs"):
                await call


@pytest.mark.parametrize(("hidden", "removed"), [(0, True), (1, False)])
async def test_a_prune_notes_as_removed_only_what_it_saw_go(
    opened, provider, journal, hidden, removed
):
    async with opened() as jobs:
        ended = await jobs.launch(ECHO)
        provider.only.ends()
        job = await jobs.launch(ECHO)
        provider.hidden = hidden
        assert await jobs.prune(dry_run=False, older_than_seconds=0)
    assert (journal.find(ended.key).deleted is not None) is removed
    assert journal.find(job.key).deleted is None
