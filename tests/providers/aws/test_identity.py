"""Who asks: a role assumed once for all calls, and one that may not be had."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws.errors import ApiError

from dayfly.contract.errors import InvalidField, PermissionDenied, Unauthenticated, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.emulators.aws import Emulator
    from tests.emulators.aws.calls import Call

    from dayfly.providers.aws.client import Aws

    from .conftest import Scripted

ROLE = "arn:aws:iam::123456789012:role/jobs"
OWN_KEY = "AKIAEXAMPLE000000000"


async def test_a_role_is_assumed_once_for_calls_that_come_together(
    emulator: Emulator, make_aws: Callable[..., Aws]
) -> None:
    aws = make_aws(endpoint_url=emulator.url, role_arn=ROLE)
    calls = [aws.call("ecs", "ListTasks") for _ in range(5)]
    await asyncio.gather(*calls, aws.call("logs", "DescribeLogGroups"))
    await aws.call("ecs", "ListTasks", region="us-east-1")
    assert emulator.calls == {
        "sts.AssumeRole": 1,
        "ecs.ListTasks": 6,
        "logs.DescribeLogGroups": 1,
    }
    [(_, asked)] = [one for one in emulator.requests if one[0] == "sts.AssumeRole"]
    assert asked == {"RoleArn": ROLE, "RoleSessionName": "dayfly"}


async def test_calls_are_signed_by_the_role_and_the_role_by_oneself(
    scripted: Scripted, make_aws: Callable[..., Aws]
) -> None:
    keys: list[tuple[str, str]] = []

    def assume(call: Call) -> dict[str, Any]:
        keys.append((call.name, call.access_key))
        return credentials(hours=1)

    def list_tasks(call: Call) -> dict[str, Any]:
        keys.append((call.name, call.access_key))
        return {"taskArns": []}

    scripted.answers |= {"sts.AssumeRole": assume, "ecs.ListTasks": list_tasks}
    await make_aws(endpoint_url=scripted.url, role_arn=ROLE).call("ecs", "ListTasks")
    assert keys == [("sts.AssumeRole", OWN_KEY), ("ecs.ListTasks", "ASIAROLE000000000000")]


async def test_credentials_that_end_soon_are_renewed(
    scripted: Scripted, make_aws: Callable[..., Aws]
) -> None:
    lives = iter([0.1, 1.0, 1.0])
    scripted.answers["sts.AssumeRole"] = lambda _call: credentials(hours=next(lives))
    scripted.answers["ecs.ListTasks"] = {"taskArns": []}
    aws = make_aws(endpoint_url=scripted.url, role_arn=ROLE)
    for _ in range(3):
        await aws.call("ecs", "ListTasks")
    assert scripted.calls["sts.AssumeRole"] == 2


def credentials(hours: float) -> dict[str, Any]:
    until = datetime.now(UTC) + timedelta(hours=hours)
    return {
        "Credentials": {
            "AccessKeyId": "ASIAROLE000000000000",
            "SecretAccessKey": "a-key",
            "SessionToken": "a-token",
            "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "AssumedRoleUser": {"AssumedRoleId": "AROA:dayfly", "Arn": ROLE},
    }


async def test_a_role_that_may_not_be_assumed(
    emulator: Emulator, make_aws: Callable[..., Aws], caplog: pytest.LogCaptureFixture
) -> None:
    aws = make_aws(endpoint_url=emulator.url, role_arn=f"{ROLE}-of-others")
    with pytest.raises(PermissionDenied) as caught:
        await aws.call("ecs", "ListTasks", tried="listing tasks")
    assert caught.value.field == "role_arn"
    assert caught.value.message.startswith("listing tasks: AWS answered AccessDenied: ")
    assert "sts:AssumeRole" in caught.value.advice
    assert not caplog.records
    assert emulator.calls["ecs.ListTasks"] == 0


@pytest.mark.parametrize(
    ("code", "kind", "field"),
    [
        ("Throttling", "Throttled", ""),
        ("ServiceUnavailable", "Unavailable", ""),
        ("InvalidClientTokenId", "Unauthenticated", "role_arn"),
        ("RegionDisabledException", "Unauthenticated", "role_arn"),
        ("ValidationError", "InvalidField", "role_arn"),
    ],
)
async def test_why_a_role_could_not_be_assumed(
    code: str, kind: str, field: str, scripted: Scripted, make_aws: Callable[..., Aws]
) -> None:
    scripted.answers["sts.AssumeRole"] = ApiError(code, "as AWS says it")
    with pytest.raises(Exception, match="as AWS says it") as caught:
        await make_aws(endpoint_url=scripted.url, role_arn=ROLE).call("ecs", "ListTasks")
    assert type(caught.value).__name__ == kind
    assert getattr(caught.value, "field", None) == field


async def test_nobody_cannot_assume_a_role(
    make_aws: Callable[..., Aws], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Unauthenticated):
        await make_aws(role_arn=ROLE).call("ecs", "ListTasks")


async def test_a_profile_gives_region_keys_and_role(
    emulator: Emulator, make_aws: Callable[..., Aws], aws_environment: Path
) -> None:
    (aws_environment / "config").write_text(
        f"[profile jobs]\nregion = eu-central-1\nendpoint_url = {emulator.url}\n"
        f"role_arn = {ROLE}\nsource_profile = me\n"
        "[profile me]\naws_access_key_id = AKIAME\naws_secret_access_key = x\n"
    )
    aws = make_aws(region="", profile="jobs")
    assert await aws.region() == "eu-central-1"
    await aws.call("ecs", "ListTasks")
    assert emulator.calls == {"sts.AssumeRole": 1, "ecs.ListTasks": 1}
    assert list(emulator.regions) == ["eu-central-1"]


async def test_a_profile_that_is_not_there(make_aws: Callable[..., Aws]) -> None:
    for _ in range(2):
        with pytest.raises(InvalidField, match="gone") as caught:
            await make_aws(profile="gone", role_arn=ROLE).call("ecs", "ListTasks")
        assert caught.value.field == "profile"


async def test_a_failure_is_not_remembered(
    emulator: Emulator, make_aws: Callable[..., Aws]
) -> None:
    aws = make_aws(endpoint_url=emulator.url, role_arn=ROLE)
    emulator.change(faults=[{"kind": "server_error", "operation": "sts.AssumeRole", "first": 1}])
    with pytest.raises(Unavailable):
        await aws.call("ecs", "ListTasks")
    await aws.call("ecs", "ListTasks")
    assert emulator.calls["ecs.ListTasks"] == 1
