"""A retry, a lost answer or a crash never starts a second job."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import AlreadyExists
from dayfly.contract.jobs import JobState, Submission
from dayfly.testing.rules import Promise, rule
from dayfly.testing.trial import new_key, read

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec, Submitted
    from dayfly.testing.trial import Trial


class OneLaunch(Promise):
    """One launch: the same key is the same job."""

    @rule("submitter")
    async def test_same_key_three_times_is_one_job(self, trial: Trial) -> None:
        """Submitting a key three times, one after another, starts one job."""
        key, spec = new_key(), trial.job("echo once")
        first, *others = [await _submit(trial, spec, key) for _ in range(3)]
        assert not first.adopted
        assert all(other.adopted for other in others)
        assert {other.handle.id for other in others} == {first.handle.id}
        job = trial.jobs.attach(first.handle)
        assert (await read(job)).stdout == b"once\n"
        assert (await job.wait(timeout=trial.provider.seconds)).exit_code == 0
        assert await _listed(trial, key) <= 1

    @rule("submitter")
    async def test_same_key_at_the_same_time_is_one_job(self, trial: Trial) -> None:
        """Submitting a key from three plugin processes at once starts one job."""
        key, spec = new_key(), trial.job("sleep 1; echo once")
        async with trial.another_session() as second, trial.another_session() as third:
            places = (trial.jobs, second.jobs, third.jobs)
            launches = (trial.launch(spec, key=key, jobs=jobs) for jobs in places)
            answers = await asyncio.gather(*launches)
        assert len({answer.handle.id for answer in answers}) == 1
        assert sum(not answer.adopted for answer in answers) <= 1
        job = trial.jobs.attach(answers[0].handle)
        assert (await read(job)).stdout == b"once\n"
        assert await _listed(trial, key) <= 1

    @rule("submitter")
    async def test_same_key_after_the_end_is_the_ended_job(self, trial: Trial) -> None:
        """A key whose job has ended gives that job, with its exit code, and runs nothing."""
        key, spec = new_key(), trial.job("echo once; exit 3")
        job = await trial.launch(spec, key=key)
        await job.wait(timeout=trial.provider.seconds)
        async with trial.another_session() as other:
            again = await trial.launch(spec, key=key, jobs=other.jobs)
            status = await again.wait(timeout=trial.provider.seconds)
            output = await read(again)
        assert again.handle.id == job.handle.id
        assert again.adopted
        assert status.exit_code == 3
        assert output.stdout == b"once\n"

    @rule("submitter")
    async def test_same_key_other_job_is_refused(self, trial: Trial) -> None:
        """A key that has a job is refused for another one with ALREADY_EXISTS."""
        key = new_key()
        first = await _submit(trial, trial.job("echo first"), key)
        with pytest.raises(AlreadyExists):
            await _submit(trial, trial.job("echo second"), key)
        job = trial.jobs.attach(first.handle)
        assert (await read(job)).stdout == b"first\n"

    @rule("submitter")
    async def test_two_keys_are_two_jobs(self, trial: Trial) -> None:
        """The same job under two keys, even keys that differ in case only, runs twice."""
        key, spec = new_key(), trial.job("echo hi")
        answers = [await _submit(trial, spec, k) for k in (key + "a", key + "A")]
        assert len({answer.handle.id for answer in answers}) == 2
        for answer in answers:
            assert not answer.adopted
            assert (await read(trial.jobs.attach(answer.handle))).stdout == b"hi\n"

    @rule("submitter")
    async def test_find_knows_a_key_by_its_job(self, trial: Trial) -> None:
        """Find gives the handle of a key's job, and nothing for a key without one."""
        submitter, key = trial.services.submitter, new_key()
        assert submitter
        assert await submitter.find(key) is None
        launched = await _submit(trial, trial.job("true"), key)
        found = await submitter.find(key)
        assert found is not None
        assert found.id == launched.handle.id
        status = await trial.jobs.attach(found).wait(timeout=trial.provider.seconds)
        assert status.state is JobState.SUCCEEDED

    @rule("submitter")
    async def test_any_allowed_key_is_taken(self, trial: Trial) -> None:
        """A key may be any 128 printable ASCII characters."""
        marks = "".join(map(chr, range(0x21, 0x7F)))
        key = (marks + new_key() * 3)[:128]
        launched = await _submit(trial, trial.job("true"), key)
        again = await _submit(trial, trial.job("true"), key)
        assert again.handle.id == launched.handle.id


async def _submit(trial: Trial, spec: JobSpec, key: str) -> Submitted:
    submitter = trial.services.submitter
    assert submitter
    answer = await submitter.submit(Submission(spec=spec, key=key), lambda _: None)
    trial.remember(answer.handle)
    return answer


async def _listed(trial: Trial, key: str) -> int:
    if not trial.services.inventory:
        return 0
    return sum(job.key == key for job in await trial.services.inventory.list_jobs())
