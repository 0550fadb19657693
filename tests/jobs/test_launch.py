"""A launch happens once, whatever gets lost on the way."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace

import pytest
from tests.jobs.conftest import SHORT, aged
from tests.jobs.scripted import ClassicRunner, lost_answer

from dayfly.contract.errors import (
    AlreadyExists,
    DataLoss,
    FailedPrecondition,
    InvalidField,
    NotServed,
    PermissionDenied,
    ProviderFailed,
    Throttled,
    Unavailable,
)
from dayfly.contract.jobs import JobSpec, JobState, Reason
from dayfly.contract.services import Services
from dayfly.jobs import Jobs, Journal

ECHO = JobSpec(command=("/bin/echo", "hello"))


async def test_a_job_gets_a_name_a_key_and_a_journal_entry(opened, provider, journal):
    async with opened() as jobs:
        heard = []
        job = await jobs.launch(ECHO, follow=True, report=heard.append)
    (entry,) = journal.entries()
    assert job.name.startswith("echo-")
    assert len(job.name) == len("echo-3f9a")
    assert len(job.key) == 32
    assert (entry.key, entry.name, entry.handle) == (job.key, job.name, job.handle)
    assert (entry.provider, entry.plugin) == ("prod", "scripted")
    assert entry.launched is not None
    assert (job.adopted, job.notes) == (False, ("memory rounded up",))
    assert provider.only.submission.follow
    assert [progress.phase for progress in heard] == ["started"]


@pytest.mark.parametrize(
    ("spec", "start"),
    [
        (JobSpec(image="ghcr.io/acme/Web_App:1.2"), "web-app-"),
        (JobSpec(image="web@sha256:00"), "web-"),
        (JobSpec(run_command="make all"), "make-"),
        (JobSpec(command=("...",)), "job-"),
    ],
)
async def test_the_name_comes_from_the_program_or_the_image(opened, spec, start):
    async with opened() as jobs:
        job = await jobs.launch(spec, "k")
    assert job.name[:-4] == start


async def test_the_intent_is_written_before_the_provider_is_asked(opened, provider, journal):
    seen = []
    provider.on_submit = lambda _: seen.extend(journal.entries())
    async with opened() as jobs:
        await jobs.launch(ECHO, "k1")
    assert [(entry.key, entry.handle) for entry in seen] == [("k1", None)]


async def test_errors_that_pass_are_tried_again(opened, provider):
    provider.faults["submit"].extend([lost_answer(), lost_answer(), None])
    async with opened() as jobs:
        job = await jobs.launch(ECHO, "k1")
    assert not job.adopted
    assert provider.calls["submit"] == 3


async def test_who_waits_is_told_once_why_nothing_happens(opened, provider, caplog):
    provider.faults["submit"].extend([lost_answer()] * 1000)
    async with opened() as jobs:
        with pytest.raises(Unavailable):
            await jobs.launch(ECHO, "k1")
    (told,) = caplog.messages
    assert re.fullmatch(r"still trying to launch echo-.{4} on 'prod': .*reset.*", told)


async def test_what_passes_in_a_moment_is_not_told(opened, provider, caplog):
    provider.faults["submit"].extend([lost_answer(), lost_answer(), None])
    async with opened() as jobs:
        await jobs.launch(ECHO, "k1")
    assert caplog.messages == []


async def test_a_lost_answer_starts_no_second_job(opened, provider):
    provider.lost = 1
    async with opened() as jobs:
        job = await jobs.launch(ECHO, "k1")
    assert len(provider.jobs) == 1
    assert job.adopted
    assert {submission.key for submission in provider.sent} == {"k1"}


async def test_the_provider_says_when_to_come_again(opened, provider):
    provider.faults["submit"].append(Throttled("slow down", retry_after_seconds=0.2))
    async with opened() as jobs:
        began = asyncio.get_running_loop().time()
        await jobs.launch(ECHO, "k1")
        assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_launch_gives_up_at_its_deadline_and_stays_open(opened, provider, journal):
    provider.faults["submit"].extend([lost_answer()] * 1000)
    async with opened() as jobs:
        with pytest.raises(Unavailable, match=r"tried for 0\.4 s to launch .* reset"):
            await jobs.launch(ECHO, "k1")
    (entry,) = journal.entries()
    assert entry.handle is None
    assert not entry.never_launched


async def test_a_refused_launch_leaves_nothing_in_the_journal(opened, provider, journal):
    provider.faults["submit"].append(
        FailedPrecondition("no such image", reason=Reason.IMAGE_UNAVAILABLE)
    )
    async with opened() as jobs:
        with pytest.raises(FailedPrecondition, match="no such image") as caught:
            await jobs.launch(ECHO, "k1")
    assert caught.value.reason is Reason.IMAGE_UNAVAILABLE
    assert journal.entries() == []


async def test_a_refusal_after_a_lost_answer_keeps_the_intent(opened, provider, journal):
    provider.lost = 1
    provider.faults["submit"].extend([None, PermissionDenied("the token has expired")])
    async with opened() as jobs:
        with pytest.raises(PermissionDenied):
            await jobs.launch(ECHO, "k1")
        await jobs.recover()
    assert [entry.handle for entry in journal.entries()] == [provider.only.handle]


@pytest.mark.parametrize(
    ("launch", "field"),
    [
        ((JobSpec(command=("true",), working_dir="/tmp"), "k"), "working_dir"),
        ((JobSpec(command=("true",), env={"A=B": ""}), "k"), "env"),
        ((JobSpec(command=("true",)), "two words"), "key"),
    ],
)
async def test_bad_input_reaches_neither_journal_nor_provider(
    opened, provider, journal, launch, field
):
    async with opened() as jobs:
        with pytest.raises(InvalidField) as caught:
            await jobs.launch(*launch)
        with pytest.raises(InvalidField):
            await jobs.plan(*launch)
    assert caught.value.field == field
    assert provider.sent == []
    assert journal.entries() == []


async def test_a_key_is_the_same_job_without_asking_again(opened, provider):
    async with opened() as jobs:
        first = await jobs.launch(ECHO, "k1")
    async with opened() as jobs:
        again = await jobs.launch(ECHO, "k1")
    assert again.handle == first.handle
    assert (first.adopted, again.adopted) == (False, True)
    assert provider.calls["submit"] == 1


async def test_a_key_of_another_job_is_refused_at_once(opened, provider):
    async with opened() as jobs:
        await jobs.launch(ECHO, "k1")
        with pytest.raises(AlreadyExists, match="'k1' belongs to another job"):
            await jobs.launch(JobSpec(command=("other",)), "k1")
    assert provider.calls["submit"] == 1


async def test_a_key_that_ended_and_was_removed_is_not_run_again(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO, "k1")
        provider.only.ends(3)
        await job.wait()
        await job.delete()
    async with opened() as jobs:
        again = await jobs.launch(ECHO, "k1")
        status = await again.wait()
        assert [batch async for batch in again.output()] == []
    assert status.exit_code == 3
    assert again.notes == (f"{job.name} ended and was removed before; its output is gone",)
    assert provider.calls["submit"] == 1


async def test_two_launches_of_one_key_at_once_are_one_job(opened, provider):
    provider.delay["submit"] = 0.02
    async with opened() as jobs:
        both = await asyncio.gather(jobs.launch(ECHO, "k1"), jobs.launch(ECHO, "k1"))
    assert both[0].handle == both[1].handle == provider.only.handle


@pytest.mark.parametrize("made", [True, False])
async def test_a_launch_cut_short_by_a_crash_is_completed(opened, provider, journal, made):
    provider.lost = int(made)
    provider.faults["submit"].extend([None if made else lost_answer(), ProviderFailed("gone")])
    async with opened() as jobs:
        with pytest.raises(ProviderFailed):
            await jobs.launch(ECHO, "k1")
    async with opened() as jobs:
        job = await jobs.launch(ECHO, "k1")
    assert len(provider.jobs) == 1
    assert job.adopted is made
    assert journal.find("k1").handle == provider.only.handle


async def test_recover_adopts_what_was_made_and_marks_what_was_not(opened, provider, journal):
    async with opened() as jobs:
        job = await jobs.launch(ECHO, "made")
    other = Journal.open(journal.path.with_name("other.sqlite3"))
    for key in ("made", "not-made"):
        other.intend(provider="prod", plugin="scripted", key=key, name=key, digest="")
    other.intend(provider="elsewhere", plugin="scripted", key="x", name="x", digest="")
    async with Jobs(provider.services(), provider="prod", journal=other, timing=SHORT) as jobs:
        await jobs.recover()
        await jobs.recover()
    assert other.find("made").handle == job.handle
    assert other.find("not-made").never_launched
    assert not other.find("x").never_launched
    assert provider.calls["find"] == 2


@pytest.mark.parametrize("keep", [False, True])
async def test_cancelling_a_launch_stops_what_it_started_and_removes_it(
    opened, provider, journal, keep
):
    """Nobody has it to remove it: whoever launched it never heard of it."""
    provider.delay["submit"] = 0.05
    async with opened() as jobs:
        launching = asyncio.create_task(jobs.launch(ECHO, "k1", keep=keep))
        await provider.called("submit")
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
    assert provider.calls["cancel_job"] == 1
    assert (len(provider.jobs), journal.find("k1").deleted is None) == (int(keep), keep)
    assert journal.find("k1").end.state is JobState.CANCELLED


async def test_cancelling_a_launch_that_found_the_job_of_another_leaves_its_output(
    opened, provider
):
    async with Jobs(provider.services(), provider="prod") as elsewhere, opened() as jobs:
        await elsewhere.launch(ECHO, "k1", detached=True)
        provider.delay["submit"] = 0.05
        launching = asyncio.create_task(jobs.launch(ECHO, "k1"))
        await provider.called("submit", 2)
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
    assert (provider.calls["cancel_job"], len(provider.jobs)) == (1, 1)


@pytest.mark.parametrize("served", [True, False])
async def test_a_launch_that_was_called_off_and_cannot_be_removed_has_been_stopped(
    opened, provider, caplog, served
):
    provider.delay["submit"] = 0.05
    provider.faults["delete"].append(DataLoss("the cupboard is stuck"))
    async with opened(provider.services(*(() if served else ("inventory",)))) as jobs:
        launching = asyncio.create_task(jobs.launch(ECHO, "k1"))
        await provider.called("submit")
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
    assert provider.only.status.state is JobState.CANCELLED
    assert ("was stopped, and what it left is still there" in caplog.text) is served
    assert "still run" not in caplog.text


async def test_cancelling_a_launch_that_hangs_looks_for_its_job(opened, provider, journal):
    def hang(job):
        provider.delay["submit"] = 60
        raise lost_answer()

    provider.on_submit = hang
    provider.faults["find"].append(lost_answer())
    async with opened() as jobs:
        launching = asyncio.create_task(jobs.launch(ECHO, "k1"))
        await provider.called("submit")
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
    assert provider.calls["cancel_job"] == 1
    assert provider.jobs == {}
    assert journal.find("k1").end.state is JobState.CANCELLED


async def test_cancelling_a_launch_that_made_nothing_withdraws_it(opened, provider, journal):
    provider.delay["submit"] = 60
    async with opened() as jobs:
        launching = asyncio.create_task(jobs.launch(ECHO, "k1"))
        await provider.called("submit")
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
    assert provider.jobs == {}
    assert journal.entries() == []


async def test_cancelling_a_detached_launch_leaves_its_job(opened, provider):
    provider.delay["submit"] = 0.05
    async with opened() as jobs:
        launching = asyncio.create_task(jobs.launch(ECHO, "k1", detached=True))
        await provider.called("submit")
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
    assert provider.only.status.state is JobState.RUNNING
    assert provider.calls["cancel_job"] == 0


async def test_a_journal_that_breaks_after_the_intent_does_not_lose_the_job(
    opened, provider, journal, caplog
):
    provider.on_submit = lambda _: journal._connection.execute("DROP TABLE jobs")
    async with opened() as jobs:
        with caplog.at_level(logging.WARNING, "dayfly.jobs"):
            job = await jobs.launch(ECHO, "k1")
    assert job.handle == provider.only.handle
    assert "cannot be used" in caplog.text


async def test_a_journal_that_cannot_be_written_stops_the_launch(opened, provider, journal):
    journal._connection.execute("DROP TABLE jobs")
    async with opened() as jobs:
        with pytest.raises(FailedPrecondition, match="cannot be used"):
            await jobs.launch(ECHO)
    assert provider.sent == []


async def test_plan_creates_nothing(opened, provider, journal):
    async with opened() as jobs:
        plan = await jobs.plan(ECHO)
    assert plan.calls[0].call == "Start"
    assert provider.jobs == {}
    assert journal.entries() == []


async def test_a_provider_that_cannot_launch_is_refused_by_name(opened, provider):
    async with opened(provider.services("submitter")) as jobs:
        with pytest.raises(InvalidField, match="'prod' cannot honour command"):
            await jobs.launch(ECHO)
        with pytest.raises(NotServed, match="'prod' cannot launch jobs"):
            await jobs.launch(JobSpec())


async def test_the_description_is_asked_once(opened, provider):
    provider.delay["describe"] = 0.01
    async with opened() as jobs:
        with pytest.raises(FailedPrecondition, match="describe"):
            _ = jobs.description
        await asyncio.gather(*(jobs.describe() for _ in range(5)))
        assert jobs.description is provider.description
    assert provider.calls["describe"] == 1


class TestClassic:
    """A plugin that has nothing but RunJob, JobStatus and JobLogs."""

    @pytest.fixture
    def classic(self, provider):
        return Services(runner=ClassicRunner(provider), canceler=provider)

    async def test_argv_becomes_one_quoted_line(self, opened, provider, classic):
        async with opened(classic) as jobs:
            await jobs.launch(JobSpec(command=("echo", "a b", "$HOME")))
        spec = provider.only.submission.spec
        assert (spec.command, spec.run_command) == ((), "echo 'a b' '$HOME'")

    async def test_what_the_message_lacks_is_refused(self, opened, provider, classic):
        async with opened(classic) as jobs:
            with pytest.raises(InvalidField, match="cannot honour labels"):
                await jobs.launch(JobSpec(command=("true",), labels={"a": "b"}))
        assert provider.sent == []

    async def test_an_unanswered_launch_is_never_tried_again(self, opened, provider, classic):
        provider.lost = 1
        async with opened(classic) as jobs:
            with pytest.raises(ProviderFailed, match="may have started"):
                await jobs.launch(ECHO, "k1")
        async with opened(classic) as jobs:
            await jobs.recover()
            with pytest.raises(FailedPrecondition, match="cannot tell whether it started"):
                await jobs.launch(ECHO, "k1")
        assert len(provider.jobs) == 1

    async def test_a_throttled_launch_made_nothing_and_is_tried_again(
        self, opened, provider, classic
    ):
        provider.faults["submit"].append(Throttled("slow down"))
        async with opened(classic) as jobs:
            await jobs.launch(ECHO, "k1")
        assert len(provider.jobs) == 1

    async def test_it_runs_to_its_end_with_its_output(self, opened, provider, classic):
        provider.on_submit = lambda job: (job.prints(b"one\n"), job.prints(b"two\n"), job.ends(4))
        async with opened(classic) as jobs:
            job = await jobs.launch(ECHO)
            lines = [record.line async for record in job.logs()]
            assert (await job.wait()).exit_code == 4
        assert lines == [b"one", b"two"]

    async def test_reading_resumes_after_the_bytes_that_were_seen(self, opened, provider, classic):
        async with opened(classic) as jobs:
            job = await jobs.launch(ECHO)
            provider.only.prints(b"one\ntw")
            provider.only.prints(b"o\nthree\n")
            provider.only.prints(b"four\n")
            provider.breaks = {"2": lost_answer()}
            provider.only.ends()
            batches = [batch async for batch in job.output()]
            again = [b async for b in job.output(cursor=batches[0].cursor)]
        assert b"".join(batch.data for batch in batches) == b"one\ntwo\nthree\nfour\n"
        assert b"".join(batch.data for batch in again) == b"o\nthree\nfour\n"

    async def test_a_foreign_cursor_and_a_tail_are_refused(self, opened, provider, classic):
        async with opened(classic) as jobs:
            job = await jobs.launch(ECHO)
            with pytest.raises(InvalidField) as caught:
                _ = [batch async for batch in job.output(cursor="7")]
            assert caught.value.field == "cursor"
            with pytest.raises(InvalidField) as caught:
                _ = [batch async for batch in job.output(tail_lines=3, follow=False)]
            assert caught.value.field == "tail_lines"

    async def test_a_job_that_it_does_not_know_is_lost(self, opened, provider, classic):
        async with opened(classic) as jobs:
            job = await jobs.launch(ECHO)
            provider.jobs.clear()
            assert (await job.wait()).reason is Reason.LOST

    async def test_its_plan_is_its_one_call(self, opened, provider, classic):
        async with opened(classic) as jobs:
            plan = await jobs.plan(JobSpec(command=("echo", "a b"), secrets={"A": "ref"}))
        assert [call.call for call in plan.calls] == ["RunJob"]
        assert "echo 'a b'" in plan.calls[0].request


async def test_recover_leaves_open_what_may_be_too_new_to_be_seen(opened, provider, journal):
    provider.description = replace(provider.description, visibility_grace_seconds=20)
    journal.intend(provider="prod", plugin="scripted", key="k", name="k", digest="")
    async with opened(timing=replace(SHORT, launch_deadline=40)) as jobs:
        await jobs.recover()
        assert not journal.find("k").never_launched
        aged(journal, "k", 61)
        await jobs.recover()
        assert journal.find("k").never_launched


async def test_recover_leaves_open_what_may_be_forgotten(opened, provider, journal):
    provider.description = replace(provider.description, remembers_seconds=60)
    for key in ("old", "new"):
        journal.intend(provider="prod", plugin="scripted", key=key, name=key, digest="")
    aged(journal, "old", 61)
    async with opened() as jobs:
        await jobs.recover()
    assert not journal.find("old").never_launched
    assert journal.find("new").never_launched
