"""A cancel or a timeout stops the job, and is confirmed by the provider."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from dayfly.contract.jobs import JobState, Reason
from dayfly.testing.rules import Promise, rule
from dayfly.testing.trial import first_output, new_key, read

if TYPE_CHECKING:
    from typing import Final

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.jobs import Job
    from dayfly.testing.trial import Session, Trial

#: How many jobs are launched to meet one that is still pending.
_TRIES: Final = 5
_LOOK_SECONDS: Final = 0.002


class CancelIsAStop(Promise):
    """A cancel is a stop."""

    @rule("canceler")
    async def test_cancel_at_once(self, trial: Trial) -> None:
        """A job that is cancelled as soon as it is launched does not go on."""
        job = await trial.launch(trial.provider.endless())
        _assert_cancelled(await job.cancel())
        assert b"survived" not in (await read(job)).stdout

    @rule("canceler", "submitter", "observer")
    async def test_cancel_while_pending(self, trial: Trial) -> None:
        """A job that another machine cancels before it runs ends cancelled for its launcher too."""
        async with trial.another_session() as elsewhere:
            for _ in range(_TRIES):
                key = new_key()
                spec = trial.provider.endless("echo ready")
                launching = asyncio.create_task(trial.launch(spec, key=key))
                handle, pending = await _seen(elsewhere, key, launching)
                _assert_cancelled(await elsewhere.jobs.attach(handle).cancel())
                job = await launching
                assert job.handle.id == handle.id
                _assert_cancelled(await job.wait(timeout=trial.provider.seconds))
                assert b"survived" not in (await read(job)).stdout
                if pending:
                    return
        pytest.skip(f"none of {_TRIES} jobs could be seen pending")

    @rule("canceler")
    async def test_cancel_while_running(self, trial: Trial) -> None:
        """A running job is stopped, and its output up to there is kept."""
        job = await trial.launch(trial.provider.endless("echo ready"))
        await first_output(job)
        _assert_cancelled(await job.cancel())
        assert (await read(job)).stdout == b"ready\n"
        _assert_cancelled(await trial.status(job.handle))

    @rule("canceler")
    async def test_cancel_twice(self, trial: Trial) -> None:
        """Cancelling again, and at the same time, changes nothing and is no error."""
        job = await trial.launch(trial.provider.endless())
        await asyncio.gather(job.cancel(), job.cancel())
        _assert_cancelled(await job.cancel())

    @rule("canceler")
    async def test_cancel_of_an_ended_job(self, trial: Trial) -> None:
        """A job that ended stays as it ended."""
        assert trial.services.canceler
        job = await trial.launch(trial.job("exit 7"))
        before = await job.wait(timeout=trial.provider.seconds)
        await trial.services.canceler.cancel_job(job.handle)
        after = await trial.status(job.handle)
        assert (after.state, after.exit_code) == (before.state, before.exit_code)
        assert (after.state, after.exit_code) == (JobState.FAILED, 7)

    @rule("canceler", honours=("grace_period_seconds",))
    async def test_cancel_of_a_job_that_ignores_it(self, trial: Trial) -> None:
        """A job that ignores TERM is killed after its grace period."""
        spec = trial.job(
            "trap '' TERM; echo ready; while :; do sleep 1; done", grace_period_seconds=2
        )
        job = await trial.launch(spec)
        await first_output(job)
        async with asyncio.timeout(trial.provider.seconds):
            _assert_cancelled(await job.cancel())

    @rule("canceler", honours=("grace_period_seconds",))
    async def test_a_cancelled_job_may_clean_up(self, trial: Trial) -> None:
        """A job gets TERM first, and its grace period to put things in order."""
        spec = trial.job(
            "trap 'echo cleaned; exit 5' TERM; echo ready; while :; do sleep 1; done",
            grace_period_seconds=20,
        )
        job = await trial.launch(spec)
        await first_output(job)
        status = await job.cancel()
        _assert_cancelled(status)
        assert status.exit_code in {5, None}
        assert (await read(job)).stdout == b"ready\ncleaned\n"

    @rule("canceler")
    async def test_timeout_stops_the_job(self, trial: Trial) -> None:
        """A job beyond its timeout is stopped: FAILED, TIMED_OUT."""
        output = b""
        for seconds in (2, 15):
            job = await trial.launch(trial.provider.endless("echo ready", timeout_seconds=seconds))
            status = await job.wait(timeout=trial.provider.seconds)
            assert (status.state, status.reason) == (JobState.FAILED, Reason.TIMED_OUT)
            assert (await trial.status(job.handle)).final
            output = (await read(job)).stdout
            if output:
                break  # Without any, it had not begun by then.
        assert output == b"ready\n"

    @rule("canceler")
    async def test_a_cancelled_task_cancels_the_job(self, trial: Trial) -> None:
        """Cancelling the Python task that waits for a job stops the job first."""
        job = await trial.launch(trial.provider.endless("echo ready"))
        await first_output(job)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        _assert_cancelled(await trial.status(job.handle))


async def _seen(session: Session, key: str, launching: asyncio.Task[Job]) -> tuple[JobHandle, bool]:
    """The key's job as soon as another machine can see it, and whether it was pending then."""
    services = session.plugin.services
    assert services.submitter
    assert services.observer
    while (handle := await services.submitter.find(key)) is None:
        if launching.done():
            handle = (await launching).handle
            break
        await asyncio.sleep(_LOOK_SECONDS)
    [status] = await services.observer.statuses([handle])
    return handle, status.state is JobState.PENDING


def _assert_cancelled(status: JobStatus) -> None:
    assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
