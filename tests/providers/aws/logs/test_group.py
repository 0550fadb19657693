"""A log group is there before the first task, with a retention, and nobody's is changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws import Fault
from tests.emulators.aws.errors import ApiError

from dayfly.contract.errors import PermissionDenied, Throttled
from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.logs.group import LogGroups

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GROUP = "/dayfly/jobs"


@pytest.fixture
async def aws(emulator: Any) -> AsyncIterator[Aws]:
    made = Aws(Config(region="eu-west-1", endpoint_url=emulator.url), rates={})
    yield made
    await made.close()


@pytest.fixture
def groups_of(aws: Aws) -> LogGroups:
    return LogGroups(aws)


async def groups(aws: Aws) -> dict[str, Any]:
    answer = await aws.call("logs", "DescribeLogGroups")
    return {one["logGroupName"]: one.get("retentionInDays") for one in answer["logGroups"]}


async def test_a_missing_group_is_made_with_its_retention(
    emulator: Any, aws: Aws, groups_of: LogGroups
) -> None:
    assert await groups_of.ensure("", GROUP, 30)
    assert await groups(aws) == {GROUP: 30}
    assert not await groups_of.ensure("", GROUP, 7)
    assert await groups(aws) == {GROUP: 30}
    assert emulator.calls["logs.CreateLogGroup"] == 1
    assert emulator.calls["logs.PutRetentionPolicy"] == 1


@pytest.mark.parametrize("kept", [None, 7])
async def test_a_group_that_is_there_is_left_as_it_is(
    emulator: Any, aws: Aws, kept: int | None, groups_of: LogGroups
) -> None:
    await aws.call("logs", "CreateLogGroup", logGroupName=GROUP)
    if kept:
        await aws.call("logs", "PutRetentionPolicy", logGroupName=GROUP, retentionInDays=kept)
    emulator.calls.clear()
    for _ in range(3):
        assert not await groups_of.ensure("", GROUP, 30)
    assert dict(emulator.calls) == {"logs.DescribeLogGroups": 1}
    assert await groups(aws) == {GROUP: kept}


async def test_a_group_whose_name_only_begins_so_is_another(
    emulator: Any, aws: Aws, groups_of: LogGroups
) -> None:
    for number in range(60):
        await aws.call("logs", "CreateLogGroup", logGroupName=f"{GROUP}-{number}")
    assert await groups_of.ensure("", GROUP, 30)
    assert emulator.calls["logs.DescribeLogGroups"] == 2


async def test_many_at_once_share_the_calls_and_one_made_it(
    emulator: Any, aws: Aws, groups_of: LogGroups
) -> None:
    emulator.change(latency_seconds=0.02)
    made = await asyncio.gather(*(groups_of.ensure("", GROUP, 30) for _ in range(20)))
    assert made.count(True) == 1
    assert sum(emulator.calls.values()) == 3


async def test_each_region_and_each_identity_has_its_own(
    emulator: Any, aws: Aws, make_aws: Any, groups_of: LogGroups
) -> None:
    assert await groups_of.ensure("eu-west-1", GROUP, 30)
    assert await groups_of.ensure("us-east-1", GROUP, 30)
    assert not await LogGroups(make_aws(endpoint_url=emulator.url)).ensure("us-east-1", GROUP, 30)
    assert emulator.calls["logs.DescribeLogGroups"] == 3


async def test_one_that_is_cancelled_takes_nobody_along(
    emulator: Any, aws: Aws, groups_of: LogGroups
) -> None:
    emulator.change(latency_seconds=0.05)
    first, second = (asyncio.create_task(groups_of.ensure("", GROUP, 30)) for _ in range(2))
    await asyncio.sleep(0.08)
    first.cancel()
    assert await second is False
    assert await groups(aws) == {GROUP: 30}
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_failure_is_everyones_and_is_not_remembered(
    emulator: Any, aws: Aws, groups_of: LogGroups
) -> None:
    emulator.change(faults=(Fault(kind="throttled", operation="logs.CreateLogGroup", first=1),))
    failed = await asyncio.gather(
        *(groups_of.ensure("", GROUP, 30) for _ in range(3)), return_exceptions=True
    )
    assert [type(error) for error in failed] == [Throttled] * 3
    assert emulator.calls["logs.CreateLogGroup"] == 1
    assert await groups_of.ensure("", GROUP, 30)


async def test_a_retention_that_failed_is_set_by_the_next_try(
    emulator: Any, aws: Aws, groups_of: LogGroups
) -> None:
    emulator.change(faults=(Fault(kind="throttled", operation="logs.PutRetentionPolicy", first=1),))
    with pytest.raises(Throttled, match="keep lines for 30 days"):
        await groups_of.ensure("", GROUP, 30)
    assert await groups(aws) == {GROUP: None}
    assert await groups_of.ensure("", GROUP, 30)
    assert await groups(aws) == {GROUP: 30}
    assert emulator.calls["logs.CreateLogGroup"] == 1


async def test_whoever_may_make_none_can_use_one_that_is_there(
    emulator: Any, aws: Aws, groups_of: LogGroups
) -> None:
    await aws.call("logs", "CreateLogGroup", logGroupName=GROUP)
    denied = (Fault(kind="denied", operation="logs.CreateLogGroup"),)
    emulator.change(faults=denied)
    assert not await groups_of.ensure("", GROUP, 30)
    with pytest.raises(PermissionDenied, match="making the log group /other") as caught:
        await groups_of.ensure("", "/other", 30)
    assert "logs:CreateLogGroup" in caught.value.advice


@pytest.mark.parametrize("there", [True, False])
async def test_whoever_may_not_look_may_still_make_one(
    emulator: Any, aws: Aws, there: bool, groups_of: LogGroups
) -> None:
    if there:
        await aws.call("logs", "CreateLogGroup", logGroupName=GROUP)
    emulator.change(faults=(Fault(kind="denied", operation="logs.DescribeLogGroups"),))
    assert await groups_of.ensure("", GROUP, 30) is not there


async def test_two_machines_that_make_it_at_once_both_have_it(scripted: Any, make_aws: Any) -> None:
    scripted.answers |= {
        "logs.DescribeLogGroups": {"logGroups": []},
        "logs.CreateLogGroup": ApiError(
            "ResourceAlreadyExistsException", "The specified log group already exists"
        ),
    }
    assert not await LogGroups(make_aws(endpoint_url=scripted.url)).ensure("", GROUP, 30)
    assert scripted.calls["logs.PutRetentionPolicy"] == 0


async def test_a_group_that_somebody_deletes_is_made_again(emulator: Any, aws: Aws) -> None:
    own = LogGroups(aws, known_seconds=0.05)
    assert await own.ensure("", GROUP, 30)
    await aws.call("logs", "DeleteLogGroup", logGroupName=GROUP)
    await asyncio.sleep(0.1)
    assert await own.ensure("", GROUP, 30)
    assert await groups(aws) == {GROUP: 30}
