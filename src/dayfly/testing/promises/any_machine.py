"""A handle is a value: it is enough on another machine, after a restart or a crash."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import DayflyError
from dayfly.contract.jobs import JobState
from dayfly.contract.tokens import from_token, to_token
from dayfly.testing.rules import Promise, rule
from dayfly.testing.trial import Output, first_output, read

if TYPE_CHECKING:
    from dayfly.contract.jobs import LogBatch
    from dayfly.jobs import Job
    from dayfly.testing.trial import Trial


class AnyMachine(Promise):
    """Any machine."""

    @rule()
    async def test_a_handle_survives_as_a_token(self, trial: Trial) -> None:
        """Status and output work from the token alone, in another plugin process."""
        job = await trial.launch(trial.job("echo hello; exit 3"))
        token = to_token(job.handle)
        async with trial.another_session() as elsewhere:
            again = elsewhere.jobs.attach(from_token(token))
            assert (await read(again)).stdout == b"hello\n"
            assert (await again.wait(timeout=trial.provider.seconds)).exit_code == 3

    @rule()
    async def test_a_job_outlives_its_plugin(self, trial: Trial) -> None:
        """SIGKILL to the plugin in the middle: a new one gives the status and all output."""
        job = await trial.launch(trial.job("echo before; sleep 3; echo after; exit 4"))
        await first_output(job)
        trial.session.kill()
        async with trial.another_session() as later:
            again = later.jobs.attach(job.handle)
            # On a busy machine the job may be over by the time that a plugin has started.
            status = await again.status()
            assert status.state is JobState.RUNNING or status.exit_code == 4
            assert (await read(again)).stdout == b"before\nafter\n"
            assert (await again.wait(timeout=trial.provider.seconds)).exit_code == 4

    @rule("canceler")
    async def test_cancel_after_the_plugin_was_killed(self, trial: Trial) -> None:
        """SIGKILL to the plugin in the middle: a new one can cancel the job."""
        job = await trial.launch(trial.provider.endless("echo before"))
        await first_output(job)
        trial.session.kill()
        async with trial.another_session() as later:
            status = await later.jobs.attach(job.handle).cancel()
        assert status.state is JobState.CANCELLED

    @rule()
    async def test_a_dead_plugin_is_told_at_once(self, trial: Trial) -> None:
        """A call to a plugin that was killed fails with a sentence, and does not hang."""
        job = await trial.launch(trial.provider.endless())
        trial.session.kill()
        async with asyncio.timeout(10):
            with pytest.raises(DayflyError) as raised:
                await _look_until_it_fails(trial, job)
        assert trial.session.plugin.name in str(raised.value)

    @rule("observer")
    async def test_following_goes_on_after_a_disconnect(self, trial: Trial) -> None:
        """Following goes on from a cursor in another process: nothing lost or twice."""
        script = "i=1; while [ $i -le 40 ]; do echo line $i; sleep 0.05; i=$((i+1)); done"
        job = await trial.launch(trial.job(script))
        batches: list[LogBatch] = []
        async with aclosing(job.output()) as output:
            async for batch in output:
                batches.append(batch)
                if len(batches) > 3:
                    break
        trial.session.kill()
        async with trial.another_session() as later:
            again = later.jobs.attach(job.handle)
            rest = await read(again, cursor=batches[-1].cursor)
        whole = Output((*batches, *rest.batches)).stdout
        assert whole == b"".join(b"line %d\n" % i for i in range(1, 41))

    @rule("inventory", "submitter")
    async def test_delete_from_another_machine(self, trial: Trial) -> None:
        """A job is removed from its handle alone."""
        job = await trial.launch(trial.job("true"))
        await job.wait(timeout=trial.provider.seconds)
        async with trial.another_session() as elsewhere:
            await elsewhere.jobs.attach(from_token(to_token(job.handle))).delete()
        assert (await trial.status(job.handle)).state is JobState.UNKNOWN


async def _look_until_it_fails(trial: Trial, job: Job) -> None:
    while True:
        await trial.status(job.handle)
        await asyncio.sleep(0.05)
