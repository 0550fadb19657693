"""What a plan says of the price."""

from __future__ import annotations

import pytest

from dayfly.providers.aws.config import Prices
from dayfly.providers.aws.price import at_most, hourly, price_note
from dayfly.providers.aws.sizes import Size

#: Of us-east-1, on Linux and x86.
PRICES = Prices(vcpu_hour=0.04048, gib_hour=0.004445)
SMALLEST = Size(256, 512)


def test_an_hour() -> None:
    assert hourly(SMALLEST, PRICES) == pytest.approx(0.25 * 0.04048 + 0.5 * 0.004445)
    assert hourly(Size(16384, 122880), PRICES) == pytest.approx(16 * 0.04048 + 120 * 0.004445)


@pytest.mark.parametrize(("seconds", "charged"), [(1, 60), (60, 60), (61, 61), (7200, 7200)])
def test_a_minute_is_charged_in_any_case(seconds: int, charged: int) -> None:
    prices = Prices(vcpu_hour=3600, gib_hour=0)
    assert at_most(Size(1024, 2048), prices, seconds) == charged


def test_without_prices_nothing_is_said() -> None:
    assert price_note(SMALLEST, None, timeout_seconds=60) == ""


@pytest.mark.parametrize(
    ("prices", "bounds", "said"),
    [
        (PRICES, {}, "About 0.01234 USD an hour at 0.25 vCPU and 0.5 GiB"),
        (PRICES, {"timeout_seconds": 7200}, "and at most 0.02469 USD within its timeout"),
        (PRICES, {"timeout_seconds": 3570, "stop_seconds": 30}, "at most 0.01234 USD"),
        (PRICES, {"timeout_seconds": 1}, "at most 0.0002057 USD"),
        (Prices(vcpu_hour=4, gib_hour=2, currency="EUR"), {}, "About 2 EUR an hour"),
        (Prices(vcpu_hour=0, gib_hour=0), {"timeout_seconds": 9}, "at most 0 USD"),
        (Prices(vcpu_hour=1e5, gib_hour=0), {}, "About 25000.00 USD an hour"),
    ],
)
def test_the_sentence(prices: Prices, bounds: dict[str, int], said: str) -> None:
    note = price_note(SMALLEST, prices, **bounds)
    assert said in note
    assert note.endswith("(configured prices; storage, network and logs are not in it).")
    assert ("timeout" in note) == bool(bounds)
