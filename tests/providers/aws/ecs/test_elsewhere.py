"""What other settings, other clusters and other moments make of a task."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from tests.emulators.aws.errors import ApiError
from tests.providers.aws.ecs.conftest import SETTINGS, Account, job
from tests.providers.aws.ecs.test_attached import attached, registered

from dayfly.contract.errors import InvalidField, NotFound, Unavailable
from dayfly.contract.jobs import JobHandle, LogQuery, Reason, Submission
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.ecs.runner import EcsRunner

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database"
TASK = "arn:aws:ecs:eu-west-1:123456789012:task/jobs/" + "0" * 32
SPEC: dict[str, Any] = {"lines": ["here"], "exit_code": 3}


async def read(account: Account, handle: JobHandle) -> bytes:
    pages = account.services.observer.logs(handle, LogQuery())
    return b"".join([batch.data async for batch in pages])


async def test_a_task_adopted_under_another_log_group_is_read_where_it_writes(
    open_account, account
):
    first = await account.start(job(**SPEC), "k")
    await account.end(first)
    other = await open_account({"endpoint_url": account.emulator.url, "log_group": "/moved"})
    again = await other.submit(job(**SPEC), "k")
    assert (again.adopted, again.handle.id) == (True, first.id)
    assert await read(other, again.handle) == b"here\n"


async def test_an_adopted_task_keeps_the_definition_that_was_made_for_it(open_account, account):
    spec = job(env={"LARGE": "x" * 9000})
    first = await account.start(spec, "k")
    other = await open_account({"endpoint_url": account.emulator.url, "log_group": "/moved"})
    again = await other.submit(spec, "k")
    assert again.handle.id == first.id
    assert again.handle.metadata["definition"] == first.metadata["definition"]


async def test_a_handle_of_a_cluster_that_is_gone_stops_no_look_at_another(account):
    good = await account.start(job(never_ends=True))
    gone = JobHandle(id=good.id, metadata={**good.metadata, "cluster": "gone"})
    stopped = await asyncio.gather(
        account.services.canceler.cancel_job(gone),
        account.services.canceler.cancel_job(good),
        return_exceptions=True,
    )
    assert isinstance(stopped[0], NotFound)
    assert stopped[1] is None
    assert (await account.end(good)).reason is Reason.CANCELLED


async def test_a_task_that_is_not_visible_yet_is_not_removed(open_account):
    account = await open_account(missing_seconds=30.0)
    handle = await account.start(job(env={"LARGE": "x" * 9000}))
    with pytest.raises(Unavailable, match="not visible"):
        await account.services.inventory.delete(handle)
    assert account.emulator.calls["ecs.DeregisterTaskDefinition"] == 0


async def test_a_variable_that_the_definition_takes_from_a_secret_is_refused(account):
    await registered(account, "app", secrets=[{"name": "DB", "valueFrom": SECRET}])
    with pytest.raises(InvalidField, match="DB") as caught:
        await account.submit(attached(env={"DB": "x"}))
    assert caught.value.field == "env.DB"
    assert account.emulator.calls["ecs.RunTask"] == 0


def refused_with(scripted: Any, words: str) -> None:
    """ECS has a definition of this content, and refuses to run it."""
    arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/dayfly-0:1"
    scripted.answers |= {
        "logs.DescribeLogGroups": {"logGroups": [{"logGroupName": "/dayfly/jobs"}]},
        "ecs.DescribeTaskDefinition": {
            "taskDefinition": {
                "taskDefinitionArn": arn, "family": "theirs", "revision": 1, "status": "ACTIVE",
                "networkMode": "awsvpc", "containerDefinitions": [{"name": "app", "image": "x"}],
            },
        },
        "ecs.RunTask": ApiError("ClientException", words),
    }  # fmt: skip


@pytest.mark.parametrize("spec", [job(), attached()])
async def test_what_ecs_has_against_a_definition_that_is_there_does_not_pass(
    scripted, spec, make_aws
):
    refused_with(scripted, "Task definition does not support launch_type FARGATE.")
    config = Config(**SETTINGS, endpoint_url=scripted.url)
    runner = EcsRunner(make_aws(endpoint_url=scripted.url), config)
    with pytest.raises(InvalidField, match="launch_type") as caught:
        await runner.submit(Submission(spec=spec, key="k"))
    assert "ACTIVE" not in caught.value.advice
    await runner.close()


async def test_a_clock_of_ours_that_is_wrong_makes_no_launch_an_earlier_one(scripted, make_aws):
    refused_with(scripted, "")
    at = datetime.now(UTC) - timedelta(hours=1)
    task = {"taskArn": TASK, "lastStatus": "PROVISIONING", "createdAt": at.timestamp()}
    scripted.answers["ecs.RunTask"] = lambda _: web.json_response(
        {"tasks": [task], "failures": []},
        headers={"Date": format_datetime(at, usegmt=True)},
        content_type="application/x-amz-json-1.1",
    )
    config = Config(**SETTINGS, endpoint_url=scripted.url)
    runner = EcsRunner(make_aws(endpoint_url=scripted.url), config)
    assert not (await runner.submit(Submission(spec=job(), key="k"))).adopted
    await runner.close()
