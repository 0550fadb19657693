"""Which regions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.errors import FailedPrecondition, InvalidField, Unauthenticated
from dayfly.contract.provider import Region
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.regions import Regions, known_regions
from dayfly.providers.aws.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.emulators.aws import Emulator


@pytest.fixture
async def regions() -> AsyncIterator[Callable[..., Any]]:
    sessions = []

    async def made(**settings: Any) -> Regions:
        session = Session()
        sessions.append(session)
        await session.configure(Config(**({"region": "eu-west-1"} | settings)))
        return Regions(session)

    yield made
    for session in sessions:
        await session.close()


async def test_the_account_s_own_with_their_names(
    emulator: Emulator, regions: Callable[..., Any]
) -> None:
    emulator.change(regions=["us-east-1", "eu-west-1", "xx-new-1"])
    lister = await regions(endpoint_url=emulator.url)
    assert await lister.list_regions("production") == [
        Region(name="eu-west-1", display_name="Europe (Ireland)"),
        Region(name="us-east-1", display_name="US East (N. Virginia)"),
        # Newer than botocore.
        Region(name="xx-new-1"),
    ]


@pytest.mark.parametrize(
    ("region", "first", "others"),
    [
        ("eu-west-1", "af-south-1", {"us-east-1", "eu-west-1"}),
        ("cn-north-1", "cn-north-1", {"cn-northwest-1"}),
        ("us-gov-west-1", "us-gov-east-1", {"us-gov-west-1"}),
    ],
)
async def test_who_may_not_ask_sees_the_partition_s(
    region: str, first: str, others: set[str], emulator: Emulator, regions: Callable[..., Any]
) -> None:
    emulator.change(faults=[{"kind": "denied", "operation": "ec2"}])
    found = await (await regions(endpoint_url=emulator.url, region=region)).list_regions("")
    assert found[0].name == first
    assert others <= {one.name for one in found}
    assert all(one.display_name for one in found)
    assert [one.name for one in found] == sorted(one.name for one in found)


async def test_whom_nobody_knows_sees_nothing(
    emulator: Emulator, regions: Callable[..., Any]
) -> None:
    emulator.change(faults=[{"kind": "expired"}])
    with pytest.raises(Unauthenticated):
        await (await regions(endpoint_url=emulator.url)).list_regions("")


async def test_without_a_region_there_is_nobody_to_ask(regions: Callable[..., Any]) -> None:
    with pytest.raises(InvalidField) as caught:
        await (await regions(region="")).list_regions("")
    assert caught.value.field == "region"


async def test_before_the_settings_there_is_nobody_to_ask() -> None:
    with pytest.raises(FailedPrecondition):
        await Regions(Session()).list_regions("")


def test_a_region_in_no_partition_is_shown_the_commercial_ones() -> None:
    assert "eu-west-1" in known_regions("xx-nowhere-9")
    assert "xx-nowhere-9" not in known_regions("xx-nowhere-9")
