"""One key, one app: adopted where it is the same job, refused where it is not."""

from __future__ import annotations

import asyncio

import pytest
from tests.emulators.digitalocean.knobs import Fault

from dayfly.contract.errors import (
    AlreadyExists,
    Conflict,
    InvalidField,
    NotFound,
    Transient,
    Unauthenticated,
)
from dayfly.contract.jobs import JobSpec, JobState, Reason, Submission

DIGEST = "sha256:" + "ab" * 32


async def test_a_lost_answer_costs_a_try_and_no_app(opened):
    fault = Fault(kind="reset_after", operation="apps_create", first=1)
    async with opened(faults=[fault]) as room:
        spec = room.spec(run_seconds=0.1)
        with pytest.raises(Transient, match="may have been carried out"):
            await room.submit(spec, "k")
        again = await room.submit(spec, "k")
        assert again.adopted
        assert (await room.ended(again.handle)).state is JobState.SUCCEEDED
        assert len(room.emulator.apps) == 1


@pytest.mark.parametrize("status", [409, 422])
async def test_a_key_of_another_job_is_refused(opened, status):
    async with opened(name_taken_status=status) as room:
        await room.submit(room.spec(run_seconds=0.1), "k")
        with pytest.raises(AlreadyExists) as raised:
            await room.submit(room.spec(run_seconds=0.2), "k")
        assert raised.value.field == "key"
        assert len(room.emulator.apps) == 1


async def test_a_key_at_the_same_time_is_one_app(opened):
    async with opened() as room:
        spec = room.spec(run_seconds=0.1)
        answers = await asyncio.gather(*(room.submit(spec, "k") for _ in range(5)))
        assert len({answer.handle.id for answer in answers}) == 1
        assert [answer.adopted for answer in answers].count(False) == 1
        [app] = room.emulator.told()
        assert len(app["deployments"]) == 1


async def test_a_name_that_is_taken_and_in_no_list_yet_is_tried_again(opened):
    fault = Fault(kind="reset_after", operation="apps_create", first=1)
    async with opened(missing_seconds=0.4, faults=[fault]) as room:
        spec = room.spec(run_seconds=0.1)
        with pytest.raises(Transient):
            await room.submit(spec, "k")
        with pytest.raises(Conflict, match="in no list yet"):
            await room.submit(spec, "k")
        await asyncio.sleep(0.5)
        assert (await room.submit(spec, "k")).adopted


async def test_found_by_its_key_also_after_its_end(opened):
    async with opened() as room:
        assert await room.submitter.find("k") is None
        handle = await room.run("k", run_seconds=0.1)
        await room.ended(handle)
        assert (await room.submitter.find("k")).id == handle.id


async def test_a_tag_goes_as_its_digest(opened):
    async with opened(digests={"docker.io/library/busybox:1.36": DIGEST}) as room:
        await room.configure(tags="resolve", registry_mirrors=room.emulator.registries)
        await room.run(run_seconds=0.1)
        [app] = room.emulator.apps.values()
        image = app.spec["jobs"][0]["image"]
        assert image["digest"] == DIGEST
        assert "tag" not in image


async def test_a_tag_that_no_registry_has_makes_no_app(opened):
    async with opened(any_tag=False) as room:
        await room.configure(tags="resolve", registry_mirrors=room.emulator.registries)
        with pytest.raises(NotFound) as raised:
            await room.run(run_seconds=0.1)
        assert raised.value.reason is Reason.IMAGE_UNAVAILABLE
        assert room.emulator.apps == {}


@pytest.mark.parametrize("kind", ["throttled", "server_error", "reset_before"])
async def test_a_call_that_fails_says_nothing_of_the_job(opened, kind):
    async with opened() as room:
        handle = await room.run(run_seconds=0.2)
        room.emulator.change(faults=[Fault(kind=kind, operation="apps", first=1, status=503)])
        with pytest.raises(Transient):
            await room.status(handle)
        assert (await room.ended(handle)).state is JobState.SUCCEEDED


async def test_a_second_deployment_that_cancels_the_first_is_told(opened):
    async with opened() as room:
        handle = await room.run(never_ends=True)
        await room.until(handle, lambda status: status.state is JobState.RUNNING)
        await room.session.apps.deploy(handle.metadata["app"])
        status = await room.ended(handle)
        assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)


@pytest.mark.parametrize("invocations", [True, False])
async def test_a_deployment_that_another_took_the_place_of_is_never_a_success(opened, invocations):
    knobs = {"second_deployment_effect": "SUPERSEDED", "invocations": invocations}
    async with opened(**knobs, log_types=("RUN",)) as room:
        handle = await room.run(never_ends=True)
        await room.until(handle, lambda status: status.state is JobState.RUNNING)
        await room.session.apps.deploy(handle.metadata["app"])
        status = await room.until(handle, lambda status: status.state is not JobState.RUNNING)
        assert status.state in {JobState.UNKNOWN, JobState.CANCELLED}
        assert status.exit_code is None


async def test_an_account_that_takes_no_app_of_jobs_alone(opened):
    async with opened(jobs_only=False) as room:
        with pytest.raises(InvalidField, match="creating the app"):
            await room.run(run_seconds=0.1)
        assert room.emulator.apps == {}


async def test_a_private_image_goes_with_its_credentials_and_shows_them_nowhere(
    opened, monkeypatch
):
    monkeypatch.setenv("PULL", "puller:canary-registry-password")
    knobs = {"private_images": {"ghcr.io/acme/tool": "puller:canary-registry-password"}}
    async with opened(**knobs) as room:
        settings = {"tags": "resolve", "registry_mirrors": room.emulator.registries}
        spec = JobSpec(name="job", image="ghcr.io/acme/tool:1", command=("emulate", "{}"))
        await room.configure(**settings)
        with pytest.raises(Unauthenticated, match="none are configured") as raised:
            await room.submit(spec, "k")
        assert raised.value.reason is Reason.IMAGE_UNAVAILABLE
        await room.configure(**settings, registry_credentials={"ghcr.io": "env:PULL"})
        submitted = await room.submit(spec, "k")
        assert (await room.ended(submitted.handle)).state is JobState.SUCCEEDED
        plan = await room.submitter.plan(Submission(spec=spec, key="k"))
        for shown in (submitted, plan, await room.inventory.list_jobs()):
            assert "canary-registry-password" not in repr(shown)


@pytest.mark.docker
@pytest.mark.parametrize("shell", [True, False])
async def test_words_arrive_as_they_are_whatever_reads_the_one_string(opened, shell):
    words = ("a  b", "it's", "$HOME", "\\n", "*", "é\n", '"', "")
    async with opened(executor="docker", run_command_shell=shell) as room:
        spec = JobSpec(name="job", image="busybox:1.36", command=("printf", "[%s]", *words))
        handle = (await room.submit(spec)).handle
        assert (await room.ended(handle)).state is JobState.SUCCEEDED
        assert (await room.output(handle)).decode() == "".join(f"[{word}]" for word in words)
