"""Cancel, delete, list, prune, events and the checks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.providers.docker.conftest import ROOM

from dayfly.contract.errors import FailedPrecondition, NotFound
from dayfly.contract.jobs import JobHandle, JobSpec, JobState, LogQuery, Reason, Submission
from dayfly.contract.provider import CheckOutcome
from dayfly.providers.docker import containers

pytestmark = pytest.mark.docker
IMAGE = "dayfly-test:latest"


async def created(room: Any, key: str) -> tuple[JobHandle, JobSpec]:
    job = JobSpec(image=IMAGE, name=ROOM, command=("true",))
    submission = Submission(spec=job, key=key)
    body = containers.create_body(submission, {})
    name = containers.container_name(submission)
    answer = await room.session.engine.create(name, body, "")
    return JobHandle(id=answer.document()["Id"], name=name), job


async def test_cancel_of_a_running_job_is_seen_from_elsewhere(room: Any, make_room: Any) -> None:
    script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done"
    handle = await room.run("sh", "-c", script, follow=True)
    reading = room.observer.logs(handle, LogQuery(follow=True))
    assert (await anext(reading)).data == b"up\n"
    await room.canceler.cancel_job(handle)
    assert b"".join([b.data async for b in reading]) == b"bye\n"
    other = await make_room()
    status = await other.status(handle)
    assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
    assert status.exit_code == 3
    await other.canceler.cancel_job(handle)


async def test_what_does_not_listen_is_killed_after_its_grace(room: Any) -> None:
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    handle = await room.run("sh", "-c", script, grace_period_seconds=1)
    await room.canceler.cancel_job(handle)
    status = await room.status(handle)
    assert status.state is JobState.CANCELLED
    assert status.exit_code == 137


async def test_two_cancels_at_once_are_one(room: Any, make_room: Any) -> None:
    other = await make_room()
    handle = await room.run("sleep", "30", grace_period_seconds=1)
    await asyncio.gather(*(r.canceler.cancel_job(handle) for r in (room, other, room)))
    status = await room.ended(handle)
    assert (status.state, status.exit_code) == (JobState.CANCELLED, 137)


async def test_cancel_of_what_ended_changes_nothing(room: Any) -> None:
    handle = await room.run("sh", "-c", "exit 5")
    before = await room.ended(handle)
    await room.canceler.cancel_job(handle)
    assert await room.status(handle) == before


async def test_a_cancelled_launch_never_starts(room: Any, marker: str) -> None:
    handle, job = await created(room, marker)
    assert (await room.status(handle)).state is JobState.PENDING
    with pytest.raises(FailedPrecondition):
        await room.inventory.delete(handle)
    await room.canceler.cancel_job(handle)
    submitted = await room.submit(job, key=marker)
    assert submitted.adopted
    assert submitted.handle.id == handle.id
    status = await room.status(handle)
    assert status.state is JobState.CANCELLED
    assert status.started is None
    assert status.exit_code is None


async def test_a_stranger_is_left_alone(room: Any) -> None:
    engine = room.session.engine
    answer = await engine.create("docker-room-stranger", {"Image": IMAGE, "Cmd": ["true"]}, "")
    made = answer.document()["Id"]
    try:
        for call in (room.canceler.cancel_job, room.inventory.delete):
            with pytest.raises(FailedPrecondition, match="not made by dayfly"):
                await call(JobHandle(id=made))
        gone = await room.inventory.prune(dry_run=True, older_than_seconds=0)
        assert "docker-room-stranger" not in {leftover.name for leftover in gone}
    finally:
        await engine.remove(made)


async def test_delete_leaves_nothing_and_may_be_repeated(room: Any, marker: str) -> None:
    handle = await room.run("sleep", "30", key=marker)
    with pytest.raises(FailedPrecondition):
        await room.inventory.delete(handle)
    await room.session.engine.stop(handle.id, 0)
    await room.inventory.delete(handle)
    await room.inventory.delete(handle)
    assert await room.submitter.find(marker) is None
    status = await room.status(handle)
    assert (status.state, status.reason) == (JobState.UNKNOWN, Reason.LOST)
    assert status.final
    with pytest.raises(NotFound):
        await room.canceler.cancel_job(handle)


async def test_prune_says_what_would_go_and_keeps_what_is_young(room: Any) -> None:
    handle = await room.run("true")
    running = await room.run("sleep", "30")
    await room.ended(handle)
    young = await room.inventory.prune(dry_run=True, older_than_seconds=3600)
    assert handle.name not in {leftover.name for leftover in young}
    would = await room.inventory.prune(dry_run=True, older_than_seconds=0)
    assert handle.name in {leftover.name for leftover in would}
    assert running.name not in {leftover.name for leftover in would}
    assert (await room.status(handle)).state is JobState.SUCCEEDED


async def test_many_statuses_come_in_their_order(room: Any) -> None:
    running = await room.run("sleep", "30")
    failed = await room.run("false")
    await room.ended(failed)
    missing = JobHandle(id="f" * 64)
    statuses = await room.observer.statuses([running, missing, failed])
    assert [s.handle.id for s in statuses] == [running.id, missing.id, failed.id]
    assert [s.state for s in statuses] == [JobState.RUNNING, JobState.UNKNOWN, JobState.FAILED]


async def test_an_event_says_that_a_job_ended(room: Any) -> None:
    handle = await room.run("sleep", "30")
    events = room.observer.events([handle])
    waiting = asyncio.create_task(anext(events))
    async with asyncio.timeout(20):
        # Another job's end, seen on a second stream, says that the first is open too.
        others = room.observer.events([])
        seen = asyncio.create_task(anext(others))
        await asyncio.sleep(0.5)
        other = await room.run("true")
        assert await seen
        await room.ended(other)
        assert not waiting.done()
        await room.session.engine.stop(handle.id, 0)
        assert await waiting == handle.id
    await events.aclose()
    await others.aclose()


async def test_the_checks_pass_here(room: Any) -> None:
    checks = await room.submitter.check()
    assert {check.outcome for check in checks} == {CheckOutcome.PASSED}
    assert "the setting host" in checks[0].detail


async def test_an_engine_that_is_not_there(make_room: Any, tmp_path: Any) -> None:
    room = await make_room(host=f"unix://{tmp_path}/none.sock")
    (check,) = await room.submitter.check()
    assert check.outcome is CheckOutcome.FAILED
    assert "none.sock" in check.detail
    assert "DOCKER_HOST" in check.advice
