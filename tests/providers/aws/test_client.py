"""Calls: one request each, paced, in the region that is asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.errors import Throttled, Unavailable
from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.aws import Emulator


REGION = "eu-west-1"


@pytest.mark.parametrize("fault", ["server_error", "throttled", "reset_before", "reset_after"])
@pytest.mark.parametrize(
    "environment", [{}, {"AWS_MAX_ATTEMPTS": "9", "AWS_RETRY_MODE": "standard"}]
)
async def test_botocore_tries_nothing_again(
    fault: str,
    environment: dict[str, str],
    emulator: Emulator,
    make_aws: Callable[..., Aws],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    emulator.change(faults=[{"kind": fault}])
    with pytest.raises((Throttled, Unavailable)):
        await make_aws(endpoint_url=emulator.url).call("ecs", "ListTasks")
    assert emulator.calls == {"ecs.ListTasks": 1}


async def seconds(awaitable: Any) -> float:
    began = asyncio.get_running_loop().time()
    await awaitable
    return asyncio.get_running_loop().time() - began


async def test_a_throttled_call_slows_later_ones_of_its_kind_down(
    emulator: Emulator, make_aws: Callable[..., Aws]
) -> None:
    aws = make_aws(endpoint_url=emulator.url)
    await aws.call("ecs", "ListTasks")
    emulator.change(faults=[{"kind": "throttled", "operation": "ecs.ListTasks", "first": 1}])
    with pytest.raises(Throttled):
        await aws.call("ecs", "ListTasks")
    # Half of 20 a second, and no burst: the last of them waits more than a second.
    calls = [aws.call("ecs", "ListTasks") for _ in range(14)]
    assert await seconds(asyncio.gather(*calls)) > 1.0
    # Another kind, and another region, have a pace of their own.
    assert await seconds(aws.call("ecs", "DescribeClusters")) < 1.0
    assert await seconds(aws.call("ecs", "ListTasks", region="us-east-1")) < 1.0


async def test_a_call_is_held_to_the_published_rate(
    emulator: Emulator, make_aws: Callable[..., Aws]
) -> None:
    emulator.change(rates={"logs.FilterLogEvents": [5, 5]})
    aws = make_aws(endpoint_url=emulator.url)
    group = {"logGroupName": "/jobs"}
    await aws.call("logs", "CreateLogGroup", **group)
    spent = await seconds(
        asyncio.gather(*(aws.call("logs", "FilterLogEvents", **group) for _ in range(8)))
    )
    # Five at once and then five a second; none was refused.
    assert spent > 0.5


async def test_a_region_of_its_own_for_a_call(
    emulator: Emulator, make_aws: Callable[..., Aws]
) -> None:
    aws = make_aws(endpoint_url=emulator.url)
    await aws.call("ecs", "ListTasks")
    await aws.call("ecs", "ListTasks", region="us-east-1")
    assert await aws.region() == "eu-west-1"
    assert set(emulator.regions) == {"eu-west-1", "us-east-1"}


async def test_many_first_calls_make_one_client(
    emulator: Emulator, make_aws: Callable[..., Aws]
) -> None:
    aws = make_aws(endpoint_url=emulator.url)
    await asyncio.gather(*(aws.call("ecs", "ListTasks") for _ in range(20)))
    assert emulator.calls["ecs.ListTasks"] == 20
    assert len(aws._clients) == 1


async def test_the_user_agent_names_dayfly(
    emulator: Emulator, make_aws: Callable[..., Aws]
) -> None:
    aws = make_aws(endpoint_url=emulator.url)
    seen = []
    client = await aws._client("ecs", "", "testing")
    client.meta.events.register(
        "before-send.ecs", lambda request, **_: seen.append(request.headers["User-Agent"])
    )
    await aws.call("ecs", "ListTasks")
    assert b"dayfly" in seen[0]


async def test_a_call_after_the_end_opens_nothing_anew(emulator: Emulator) -> None:
    aws = Aws(Config(region=REGION, endpoint_url=emulator.url))
    await aws.call("ecs", "ListClusters")
    await aws.close()
    with pytest.raises(Unavailable, match="closed"):
        await aws.call("ecs", "ListClusters")
    assert aws._clients == {}
