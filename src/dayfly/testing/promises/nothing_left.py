"""What a run made is gone after it, or listed and removed."""
# ruff: noqa: S101 - a rule is a test

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dayfly.contract.errors import FailedPrecondition, NotFound
from dayfly.contract.jobs import JobState, LogQuery, Submission
from dayfly.testing.rules import Promise, rule
from dayfly.testing.trial import new_key, read

if TYPE_CHECKING:
    from dayfly.testing.trial import Trial


class NothingLeft(Promise):
    """Nothing left behind."""

    @rule("inventory", "submitter", "observer")
    async def test_nothing_is_left_after_rm(self, trial: Trial) -> None:
        """After a delete nothing knows the job, and a second delete is no error."""
        services = trial.services
        assert services.inventory
        assert services.observer
        key = new_key()
        job = await trial.launch(trial.job("echo hello"), key=key)
        await read(job)
        await job.wait(timeout=trial.provider.seconds)
        assert await trial.traces(key)
        await job.delete()
        assert await trial.traces(key) == []
        (status,) = await services.observer.statuses([job.handle])
        assert status.state is JobState.UNKNOWN
        with pytest.raises(NotFound):
            _ = [batch async for batch in services.observer.logs(job.handle, LogQuery())]
        await services.inventory.delete(job.handle)

    @rule("inventory", "canceler", "submitter")
    async def test_nothing_is_left_after_a_cancelled_job(self, trial: Trial) -> None:
        """A cancelled job can be removed like any other."""
        key = new_key()
        job = await trial.launch(trial.provider.endless(), key=key)
        await job.cancel()
        await job.delete()
        assert await trial.traces(key) == []

    @rule("inventory")
    async def test_a_running_job_is_not_deleted(self, trial: Trial) -> None:
        """Deleting a job that has not ended is FAILED_PRECONDITION, and it goes on."""
        assert trial.services.inventory
        job = await trial.launch(trial.job("echo ready; sleep 3; echo done"))
        with pytest.raises(FailedPrecondition):
            await trial.services.inventory.delete(job.handle)
        assert (await read(job)).stdout == b"ready\ndone\n"
        assert (await job.wait(timeout=trial.provider.seconds)).exit_code == 0

    @rule("inventory")
    async def test_a_job_is_listed_with_its_key(self, trial: Trial) -> None:
        """A job is listed while it runs and after it, with its key and its state."""
        assert trial.services.inventory
        key = new_key()
        job = await trial.launch(trial.job("sleep 2; exit 9"), key=key)

        async def listed() -> tuple[JobState, int | None]:
            assert trial.services.inventory
            (found,) = [j for j in await trial.services.inventory.list_jobs() if j.key == key]
            assert found.status.handle.id == job.handle.id
            return found.status.state, found.status.exit_code

        state, code = await listed()
        assert state in {JobState.PENDING, JobState.RUNNING} or code == 9
        await job.wait(timeout=trial.provider.seconds)
        assert await listed() == (JobState.FAILED, 9)

    @rule("inventory", honours=("labels",))
    async def test_labels_are_kept(self, trial: Trial) -> None:
        """A job's labels come back with it."""
        assert trial.services.inventory
        key, labels = new_key(), {"team": "data platform", "app.example/ref": "é=1, 2"}
        await trial.launch(trial.job("true", labels=labels), key=key)
        (found,) = [j for j in await trial.services.inventory.list_jobs() if j.key == key]
        assert dict(found.labels) == labels

    @rule("inventory", "submitter")
    async def test_a_dry_run_of_prune_changes_nothing(self, trial: Trial) -> None:
        """A dry run says what would go, and leaves it."""
        assert trial.services.inventory
        key = new_key()
        job = await trial.launch(trial.job("echo kept"), key=key)
        await job.wait(timeout=trial.provider.seconds)
        before = await trial.traces(key)
        leftovers = await trial.services.inventory.prune(dry_run=True, older_than_seconds=0)
        assert leftovers
        assert await trial.traces(key) == before
        assert (await read(job)).stdout == b"kept\n"

    @rule("inventory", "submitter")
    async def test_prune_removes_what_ended_and_nothing_else(self, trial: Trial) -> None:
        """Prune removes ended jobs that are old enough, and no running one."""
        if not trial.provider.own_place:
            pytest.skip("others' jobs may be in this place: own_place is not set")
        inventory = trial.services.inventory
        assert inventory
        ended_key, running_key = new_key(), new_key()
        ended = await trial.launch(trial.job("true"), key=ended_key)
        running = await trial.launch(trial.provider.endless(), key=running_key)
        await ended.wait(timeout=trial.provider.seconds)
        await inventory.prune(dry_run=False, older_than_seconds=3600)
        assert await trial.traces(ended_key)
        await inventory.prune(dry_run=False, older_than_seconds=0)
        assert await trial.traces(ended_key) == []
        assert not (await trial.status(running.handle)).final

    @rule("submitter")
    async def test_describe_check_and_plan_create_nothing(self, trial: Trial) -> None:
        """Asking what would be done does none of it."""
        submitter, key = trial.services.submitter, new_key()
        assert submitter
        description = await submitter.describe()
        assert description.provider == trial.session.plugin.name
        assert description.version == trial.session.plugin.version
        assert await submitter.check() is not None
        plan = await submitter.plan(Submission(spec=trial.job("echo hello"), key=key))
        assert plan.calls
        assert await trial.traces(key) == []
