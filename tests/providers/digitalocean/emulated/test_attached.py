"""Jobs in another's app: with consent, one at a time, taken out again, and shown if left."""

from __future__ import annotations

import asyncio

import pytest
from tests.emulators.digitalocean.knobs import Fault

from dayfly.contract.errors import AlreadyExists, Conflict, NotFound, ProviderFailed
from dayfly.contract.jobs import JobSpec, JobState, JobTarget, Reason, TargetMode

CLONE, RUN = TargetMode.ATTACHED_CLONE, TargetMode.ATTACHED_RUN


def jobs_of(room, app):
    return [job["name"] for job in room.emulator.apps[app].spec["jobs"]]


async def test_a_clone_runs_beside_the_app_and_is_taken_out(opened):
    async with opened() as room:
        app = await room.shop()
        submitted = await room.submit(room.spec(CLONE, lines=["cloned"], run_seconds=0.2), "k")
        assert any("whole app shop is deployed" in note for note in submitted.notes)
        assert len(jobs_of(room, app)) == 2
        assert await room.output(submitted.handle) == b"cloned\n"
        assert (await room.ended(submitted.handle)).state is JobState.SUCCEEDED
        await room.settled(app)
        await room.inventory.delete(submitted.handle)
        assert jobs_of(room, app) == ["migrate"]
        await room.settled(app)
        assert room.emulator.apps[app].spec["services"][0]["name"] == "web"


async def test_its_handle_is_told_before_the_app_is_changed(opened):
    fault = Fault(kind="denied", operation="apps_update")
    async with opened(faults=[fault]) as room:
        app = await room.shop()
        with pytest.raises(Exception, match="403"):
            await room.submit(room.spec(CLONE, run_seconds=0.1), "k")
        [foreseen] = [one.handle for one in room.progress if one.handle]
        assert foreseen.id.startswith(f"{app}/")
        assert jobs_of(room, app) == ["migrate"]


async def test_a_clone_of_the_same_key_is_adopted_and_another_job_refused(opened):
    async with opened() as room:
        app = await room.shop()
        first = await room.submit(room.spec(CLONE, run_seconds=0.1), "k")
        again = await room.submit(room.spec(CLONE, run_seconds=0.1), "k")
        assert (again.adopted, again.handle.id) == (True, first.handle.id)
        with pytest.raises(AlreadyExists):
            await room.submit(room.spec(CLONE, run_seconds=0.3), "k")
        assert len(jobs_of(room, app)) == 2


async def test_an_app_that_is_being_deployed_is_left_alone(opened):
    async with opened() as room:
        await room.shop()
        await room.submit(room.spec(CLONE, never_ends=True), "one")
        run = JobSpec(target=JobTarget(mode=RUN, name="shop/migrate", allow_redeploy=True))
        for spec in (room.spec(CLONE), run):
            with pytest.raises(Conflict):
                await room.submit(spec, "two")


async def test_two_clones_at_once_take_turns(opened):
    async with opened() as room:
        app = await room.shop()
        spec = room.spec(CLONE, run_seconds=0.1)
        answers = await asyncio.gather(
            room.submit(spec, "one"), room.submit(spec, "two"), return_exceptions=True
        )
        assert [type(answer).__name__ for answer in answers].count("Conflict") == 1
        assert len(jobs_of(room, app)) == 2


async def test_a_clone_that_fails_leaves_its_exit_unknown_and_can_be_taken_out(opened):
    async with opened() as room:
        app = await room.shop()
        handle = (await room.submit(room.spec(CLONE, exit_code=4, run_seconds=0.1))).handle
        status = await room.ended(handle)
        assert (status.state, status.reason) == (JobState.FAILED, Reason.EXITED_NONZERO)
        assert status.exit_code is None
        await room.settled(app)
        await room.inventory.delete(handle)
        assert jobs_of(room, app) == ["migrate"]


async def test_prune_takes_out_what_was_left_in_one_change(opened):
    async with opened() as room:
        app = await room.shop()
        handle = (await room.submit(room.spec(CLONE, run_seconds=0.1), "k")).handle
        own = await room.run(run_seconds=0.1)
        for one in (handle, own):
            await room.ended(one)
        await room.settled(app)
        listed = await room.inventory.list_jobs()
        warnings = {job.status.handle.id: job.warning for job in listed}
        assert "runs again on every deployment" in warnings[handle.id]
        assert not warnings[own.id]
        dry = await room.inventory.prune(dry_run=True, older_than_seconds=0)
        assert {left.kind for left in dry} == {"app", "component"}
        assert len(jobs_of(room, app)) == 2
        assert await room.inventory.prune(dry_run=False, older_than_seconds=0) == dry
        assert jobs_of(room, app) == ["migrate"]
        assert list(room.emulator.apps) == [app]


async def test_an_attached_run_deploys_the_app_and_follows_its_job(opened):
    async with opened() as room:
        app = await room.shop()
        submitted = await room.submit(room.spec(RUN), "k")
        assert await room.output(submitted.handle) == b"migrated\n"
        status = await room.ended(submitted.handle)
        assert (status.state, status.exit_code) == (JobState.SUCCEEDED, 0)
        assert len(room.emulator.apps[app].deployments) == 2
        await room.inventory.delete(submitted.handle)
        assert jobs_of(room, app) == ["migrate"]


async def test_an_attached_run_whose_answer_is_lost_is_told_and_found(opened):
    fault = Fault(kind="reset_after", operation="apps_create_deployment")
    async with opened(faults=[fault]) as room:
        app = await room.shop()
        with pytest.raises(ProviderFailed, match="not tried again"):
            await room.submit(room.spec(RUN), "k")
        [foreseen] = [one.handle for one in room.progress if one.handle]
        assert (await room.ended(foreseen)).state is JobState.SUCCEEDED
        assert len(room.emulator.apps[app].deployments) == 2


@pytest.mark.parametrize("mode", [CLONE, RUN])
async def test_an_app_that_is_not_there(opened, mode):
    async with opened() as room:
        with pytest.raises(NotFound) as raised:
            await room.submit(room.spec(mode))
        assert raised.value.field == "target.name"


async def test_a_change_by_another_meanwhile_is_not_undone(opened):
    async with opened() as room:
        app = await room.shop()
        # What was read is old by the time it arrives.
        hang = Fault(kind="hang", operation="apps_get", first=1, seconds=0.3)
        room.emulator.change(faults=[hang])
        launching = asyncio.create_task(room.submit(room.spec(CLONE, run_seconds=0.1)))
        await asyncio.sleep(0.15)
        spec = {**room.emulator.apps[app].spec, "region": "nyc"}
        await room.session.apps.update(app, spec)
        with pytest.raises(Conflict):
            await launching
        assert room.emulator.apps[app].spec["region"] == "nyc"


async def test_a_bindable_reaches_the_clone(opened):
    async with opened(executor="scripted", bindables={"db.DATABASE_URL": "postgres://x"}) as room:
        app = await room.shop()
        spec = JobSpec(
            name="job",
            image="busybox:1.36",
            command=("emulate", "{}"),
            secrets={"DATABASE_URL": "${db.DATABASE_URL}"},
            target=JobTarget(mode=CLONE, name="shop", allow_redeploy=True),
        )
        await room.submit(spec)
        [clone] = [job for job in room.emulator.apps[app].spec["jobs"] if job["name"] != "migrate"]
        [sent] = [one for one in clone["envs"] if one["key"] == "DATABASE_URL"]
        assert sent["value"] == "${db.DATABASE_URL}"
        assert sent["scope"] == "RUN_TIME"
