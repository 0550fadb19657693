"""What is there is listed; what has ended can go; ends are told as they happen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.providers.local.conftest import sh

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.contract.jobs import JobState, Reason
from dayfly.contract.provider import CheckOutcome
from dayfly.providers.local.config import default_state_dir, read_config


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_jobs_are_listed_with_key_and_labels(desk):
    labels = {"team": "data platform", "app.example/ref": "é=1, 2"}
    handle = await desk.start(sh("exit 9", labels=labels, name="nine"), "the-key")
    await desk.end(handle)
    (listed,) = await desk.local.list_jobs()
    assert (listed.key, dict(listed.labels), listed.warning) == ("the-key", labels, "")
    assert listed.status.handle == handle
    assert (handle.name, listed.status.exit_code) == ("nine", 9)


async def test_a_deleted_job_leaves_nothing(desk):
    handle = await desk.start(sh("echo hello"), "k")
    await desk.end(handle)
    await desk.local.delete(handle)
    await desk.local.delete(handle)
    assert list((desk.state / "local" / "jobs").iterdir()) == []
    assert await desk.local.find("k") is None
    status = await desk.status(handle)
    assert (status.state, status.reason) == (JobState.UNKNOWN, Reason.LOST)


async def test_another_state_directory_does_not_say_that_a_job_is_lost(desk):
    handle = await desk.start(sh("true"))
    await desk.end(handle)
    await desk.local.delete(handle)
    moved = replace(handle, metadata={**handle.metadata, "state": "/some/other/place"})
    assert (await desk.status(moved)).reason is None


async def test_a_running_job_is_not_deleted(desk):
    handle = await desk.start(sh("sleep 60"))
    with pytest.raises(FailedPrecondition):
        await desk.local.delete(handle)
    assert (await desk.status(handle)).state is JobState.RUNNING


async def test_prune_takes_what_ended_long_enough_ago(desk):
    ended, running = await desk.start(sh("true", name="old")), await desk.start(sh("sleep 60"))
    await desk.end(ended)
    assert await desk.local.prune(dry_run=False, older_than_seconds=3600) == []
    (planned,) = await desk.local.prune(dry_run=True, older_than_seconds=0)
    assert desk.directory(ended).is_dir()
    (removed,) = await desk.local.prune(dry_run=False, older_than_seconds=0)
    assert planned == removed
    assert removed.name == "old"
    assert [job.status.handle.id for job in await desk.local.list_jobs()] == [running.id]


async def test_a_damaged_job_is_listed_with_a_warning_and_can_be_removed(desk):
    handle = await desk.start(sh("true"))
    await desk.end(handle)
    (desk.directory(handle) / "job.json").write_text("{")
    (listed,) = await desk.local.list_jobs()
    assert "damaged" in listed.warning
    await desk.local.delete(handle)
    assert await desk.local.list_jobs() == []


async def test_events_of_all_jobs_tell_also_those_that_start_later(desk):
    early = await desk.start(sh("sleep 0.3"))
    events = desk.local.events(())
    waiting = asyncio.ensure_future(anext(events))
    assert await asyncio.wait_for(waiting, 10) == early.id
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.05)
    late = await desk.start(sh("sleep 0.2"))
    assert await asyncio.wait_for(waiting, 10) == late.id
    await events.aclose()


async def test_an_end_is_told_within_moments_and_after_the_result(desk):
    handle = await desk.start(sh("sleep 0.2; exit 3"))
    assert (await desk.end(handle)).exit_code == 3
    assert [event async for event in desk.local.events([handle])] == [handle.id]


async def test_events_leave_no_descriptor(desk):
    before = open_descriptors()
    handles = [await desk.start(sh("sleep 60")) for _ in range(3)]
    events = desk.local.events(handles)
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await events.aclose()
    assert open_descriptors() <= before


async def test_checks_create_nothing(desk):
    checks = await desk.local.check()
    assert {check.outcome for check in checks} == {CheckOutcome.PASSED}
    assert not desk.state.exists()


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"state_dir": 7}, "state_dir"),
        ({"state_dir": "relative"}, "state_dir"),
        ({"secrets": "db"}, "secrets"),
        ({"secrets": {"db": 7}}, "secrets.db"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(document, field):
    with pytest.raises(InvalidField) as raised:
        read_config(document)
    assert raised.value.field == field


def test_the_state_directory_is_named_or_the_platform_s(monkeypatch, tmp_path):
    assert read_config({"state_dir": str(tmp_path)}).state_dir == tmp_path
    monkeypatch.setenv("DAYFLY_STATE_DIR", str(tmp_path / "x"))
    assert default_state_dir() == tmp_path / "x"
    monkeypatch.delenv("DAYFLY_STATE_DIR")
    assert default_state_dir().name == "dayfly"
