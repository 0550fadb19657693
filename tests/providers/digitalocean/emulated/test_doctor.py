"""What a launch depends on, looked at one by one."""

from __future__ import annotations

import pytest
from tests.emulators.digitalocean.knobs import Fault
from tests.providers.digitalocean.emulated.conftest import TOKEN

from dayfly.contract.errors import Unauthenticated
from dayfly.contract.provider import CheckOutcome

OK, WARNING, FAILED = CheckOutcome.PASSED, CheckOutcome.WARNING, CheckOutcome.FAILED


async def outcomes(room):
    checks = await room.submitter.check()
    assert TOKEN not in repr(checks)
    for check in checks:
        assert check.outcome is OK or check.detail
    return {check.name: check.outcome for check in checks}


async def test_an_account_where_all_is_well(opened):
    async with opened({"region": "fra"}) as room:
        assert set((await outcomes(room)).values()) == {OK}


@pytest.mark.parametrize(
    ("knobs", "name", "outcome"),
    [
        ({"account_status": "warning"}, "account", WARNING),
        ({"tokens": ("another",)}, "account", FAILED),
        ({"disabled_regions": ("fra",)}, "region", FAILED),
        ({"faults": [Fault(kind="denied", operation="apps_list")]}, "apps", FAILED),
    ],
)
async def test_what_is_wrong_is_said(opened, knobs, name, outcome):
    async with opened({"region": "fra"}, **knobs) as room:
        assert (await outcomes(room))[name] is outcome


async def test_a_token_that_nobody_knows(opened):
    async with opened(tokens=("another",)) as room:
        with pytest.raises(Unauthenticated) as raised:
            await room.run(run_seconds=0.1)
        assert "DIGITALOCEAN_TOKEN" in raised.value.advice
        assert TOKEN not in str(raised.value)
        assert room.emulator.apps == {}


async def test_regions_that_are_open(opened):
    async with opened(disabled_regions=("nyc",)) as room:
        from dayfly.providers.digitalocean.regions import Regions

        names = [region.name for region in await Regions(room.session).list_regions("")]
        assert "fra" in names
        assert "nyc" not in names
        assert names == sorted(names)
