"""A task from its launch to its removal: looks, stops, lists, and what ECS forgets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from tests.emulators.aws import Fault
from tests.providers.aws.ecs.conftest import job

from dayfly.contract.errors import (
    FailedPrecondition,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from dayfly.contract.jobs import JobHandle, JobState, LogQuery, Reason
from dayfly.jobs import Timing
from dayfly.providers.aws.ecs.tasks import Tasks

NOBODY = "arn:aws:ecs:eu-west-1:123456789012:task/jobs/" + "0" * 32
QUICK = Timing(backoff_first=0.01, backoff_max=0.05, launch_deadline=5, cancel_deadline=5)


async def test_codes_arrive_exactly(account):
    handles = [await account.start(job(exit_code=code)) for code in (0, 1, 42, 137)]
    assert [(await account.end(handle)).exit_code for handle in handles] == [0, 1, 42, 137]


async def test_many_are_looked_at_in_one_call_in_their_order(account):
    handles = [await account.start(job(exit_code=n)) for n in range(4)]
    for handle in handles:
        await account.end(handle)
    before = account.emulator.calls["ecs.DescribeTasks"]
    asked = [handles[2], JobHandle(id=NOBODY, metadata=handles[0].metadata), *handles]
    asked += [JobHandle(id="no task", metadata=handles[0].metadata), JobHandle(id="stranger")]
    statuses = await account.services.observer.statuses(asked)
    assert account.emulator.calls["ecs.DescribeTasks"] == before + 1
    assert [s.exit_code for s in statuses] == [2, None, 0, 1, 2, 3, None, None]
    assert [s.state for s in statuses[-2:]] == [JobState.UNKNOWN] * 2
    assert [s.handle for s in statuses] == asked


async def test_a_new_task_that_is_missing_is_not_lost(open_account):
    account = await open_account(missing_seconds=1.0)
    async with account.jobs() as jobs:
        running = await jobs.launch(job(exit_code=5, run_seconds=0.2))
        assert (await running.status()).state is JobState.UNKNOWN
        assert (await running.wait(timeout=15)).exit_code == 5


async def test_a_task_that_ecs_forgot_is_lost_and_says_so(open_account):
    account = await open_account(stopped_tasks_expire_after=0.0)
    handle = await account.start(job())
    await asyncio.sleep(0.5)
    status = await account.status(handle)
    assert (status.state, status.exit_code) == (JobState.UNKNOWN, None)
    assert "no record" in status.message


async def test_a_cancel_stops_and_is_told_from_a_failure(account):
    async with account.jobs(QUICK) as jobs:
        running = await jobs.launch(job(never_ends=True))
        async with asyncio.timeout(10):
            while (await running.status()).state is not JobState.RUNNING:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        end = await running.cancel()
    assert (end.state, end.reason, end.exit_code) == (JobState.CANCELLED, Reason.CANCELLED, 143)
    assert "dayfly" in end.message
    await account.services.canceler.cancel_job(running.handle)
    assert account.emulator.calls["ecs.StopTask"] == 1


async def test_a_cancel_before_the_task_is_visible_waits_for_it(open_account):
    account = await open_account(missing_seconds=0.5)
    async with account.jobs(QUICK) as jobs:
        running = await jobs.launch(job(never_ends=True))
        assert (await running.cancel()).state is JobState.CANCELLED


async def test_a_cancel_of_an_ended_task_leaves_it(account):
    handle = await account.start(job(exit_code=7))
    before = await account.end(handle)
    await account.services.canceler.cancel_job(handle)
    assert await account.status(handle) == before
    assert account.emulator.calls["ecs.StopTask"] == 0


@pytest.mark.parametrize("name", ["no-such-job", NOBODY, "../../etc/passwd"])
async def test_a_task_that_is_not_there_is_not_found(account, name):
    real = await account.start(job())
    old = str(int((datetime.now(UTC) - timedelta(hours=2)).timestamp() * 1000))
    nobody = JobHandle(id=name, metadata={**real.metadata, "created": old})
    with pytest.raises(NotFound):
        await account.services.canceler.cancel_job(nobody)
    with pytest.raises(NotFound):
        _ = [b async for b in account.services.observer.logs(nobody, LogQuery())]


async def test_a_key_is_found_while_it_runs_and_after_it(account):
    spec, submitter = job(run_seconds=0.4), account.services.submitter
    handle = await account.start(spec, "the/key")
    assert (await submitter.find("the/key")) == handle
    await account.end(handle)
    assert (await submitter.find("the/key")) == handle
    assert await submitter.find("another") is None


async def test_a_key_is_found_where_ecs_takes_started_by_alone(open_account):
    account = await open_account(started_by_alone=True)
    handle = await account.start(job(), "k")
    await account.end(handle)
    assert (await account.services.submitter.find("k")).id == handle.id
    account.emulator.violations.clear()  # It counts what it refused, as it should.


async def test_own_jobs_are_listed_with_key_and_labels_and_no_others(account):
    handle = await account.start(job(never_ends=True, labels={"team": "data"}), "k")
    await account.session.aws.call(
        "ecs",
        "RunTask",
        **{**account.requests("ecs.RunTask")[0], "startedBy": "somebody", "clientToken": "theirs"},
    )
    [listed] = await account.services.inventory.list_jobs()
    assert (listed.key, dict(listed.labels)) == ("k", {"team": "data"})
    assert listed.status.handle.id == handle.id
    assert listed.status.state in {JobState.PENDING, JobState.RUNNING}


async def test_a_running_task_is_not_deleted(account):
    handle = await account.start(job(never_ends=True))
    with pytest.raises(FailedPrecondition):
        await account.services.inventory.delete(handle)


async def test_prune_removes_definitions_that_nothing_uses(account):
    inventory = account.services.inventory
    ended = await account.start(job(user="1"))
    await account.end(ended)
    await account.start(job(never_ends=True, user="2"))
    await account.session.aws.call(
        "ecs",
        "RegisterTaskDefinition",
        family="dayfly-of-somebody-else",
        containerDefinitions=[{"name": "x", "image": "x", "memory": 64}],
    )
    assert await inventory.prune(dry_run=False, older_than_seconds=3600) == []
    [would] = await inventory.prune(dry_run=True, older_than_seconds=0)
    assert account.emulator.calls["ecs.DeregisterTaskDefinition"] == 0
    assert await inventory.prune(dry_run=False, older_than_seconds=0) == [would]
    assert would.kind == "task definition"
    assert await inventory.prune(dry_run=False, older_than_seconds=0) == []
    await account.finish(job(user="1"))


async def test_a_throttled_call_says_nothing_about_the_job(open_account):
    account = await open_account(
        faults=(Fault(kind="throttled", operation="DescribeTasks", first=3),)
    )
    handle = await account.start(job(exit_code=6, run_seconds=0.1))
    with pytest.raises(Throttled):
        await account.status(handle)
    async with account.jobs(QUICK) as jobs:
        assert (await jobs.attach(handle).wait(timeout=15)).exit_code == 6


async def test_credentials_that_expire_end_the_watch_and_not_the_job(open_account):
    account = await open_account()
    async with account.jobs(QUICK) as jobs:
        running = await jobs.launch(job(never_ends=True))
        account.emulator.change(faults=[Fault(kind="expired", operation="*")])
        with pytest.raises(Unauthenticated) as caught:
            await running.wait(timeout=15)
        assert "aws sso login" in caught.value.advice
        account.emulator.change(faults=[])
        assert (await running.status()).state is JobState.RUNNING


async def test_a_task_that_never_ran_for_want_of_room_is_run_again(account):
    said = {
        "stopCode": "TaskFailedToStart",
        "stoppedReason": "Capacity is unavailable at this time. Please try again later.",
    }
    async with account.jobs(QUICK) as jobs:
        running = await jobs.launch(job(fail_to_start=said), "k")
        waiting = asyncio.create_task(running.wait())
        async with asyncio.timeout(10):
            while len(account.emulator.tasks()) < 3:  # noqa: ASYNC110 - a cloud tells nobody
                await asyncio.sleep(0.05)
        end = await running.cancel()
        assert (await waiting).reason is end.reason
        assert end.reason in {Reason.NO_CAPACITY, Reason.CANCELLED}
    assert len({r["clientToken"] for r in account.requests("ecs.RunTask")}) >= 3
    assert {r["startedBy"] for r in account.requests("ecs.RunTask")} == {
        account.requests("ecs.RunTask")[0]["startedBy"]
    }


async def test_settings_may_come_again_while_jobs_are_known(account):
    handle = await account.start(job(exit_code=4))
    await account.end(handle)
    await account.session.configure(account.session.config)
    assert (await account.status(handle)).exit_code == 4
    pages = account.services.observer.logs(handle, LogQuery())
    assert [batch async for batch in pages] == []


async def test_a_handle_of_another_region_is_looked_at_there(open_account, account):
    spec = job(command=("emulate", "{}", "x" * 9000))
    handle = await account.start(spec)
    elsewhere = await open_account({"endpoint_url": account.emulator.url, "region": "us-east-1"})
    assert (await elsewhere.end(handle)).exit_code == 0
    await elsewhere.services.inventory.delete(handle)
    assert account.emulator.calls["ecs.DeleteTaskDefinitions"] == 1
    assert await account.services.inventory.prune(dry_run=True, older_than_seconds=0) == []


async def test_an_answer_that_is_none_says_nothing_about_a_task(scripted, make_aws):
    page = web.Response(body=b"<html>log in</html>", content_type="text/html")
    scripted.answers["ecs.DescribeTasks"] = lambda _: page
    tasks = Tasks(make_aws(endpoint_url=scripted.url))
    with pytest.raises(Unavailable, match="none of what was asked for"):
        await tasks.look(JobHandle(id=NOBODY, metadata={"cluster": "jobs"}))
    await tasks.close()


async def test_a_handle_removes_no_definition_that_is_not_dayflys(account):
    theirs = await account.session.aws.call(
        "ecs",
        "RegisterTaskDefinition",
        family="theirs",
        containerDefinitions=[{"name": "x", "image": "x", "memory": 64}],
    )
    handle = await account.start(job())
    await account.end(handle)
    arn = theirs["taskDefinition"]["taskDefinitionArn"]
    forged = replace(handle, metadata={**handle.metadata, "definition": arn})
    await account.services.inventory.delete(forged)
    assert account.emulator.calls["ecs.DeregisterTaskDefinition"] == 0
