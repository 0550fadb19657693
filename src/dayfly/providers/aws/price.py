"""What a run on Fargate costs, from prices that the configuration gives.

Source: aws.amazon.com/fargate/pricing - vCPU and memory are charged by the second, from the
pull of the image to the task's end, with a minimum of one minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dayfly.providers.aws.config import Prices
    from dayfly.providers.aws.sizes import Size

_HOUR: Final = 3600
_MINIMUM_SECONDS: Final = 60
_GIB: Final = 1024


def hourly(size: Size, prices: Prices) -> float:
    """The price of an hour, in the currency of the prices."""
    return size.vcpus * prices.vcpu_hour + size.memory / _GIB * prices.gib_hour


def at_most(size: Size, prices: Prices, seconds: float) -> float:
    """The price of a run of so many seconds, of which a minute is charged in any case."""
    return hourly(size, prices) * max(seconds, _MINIMUM_SECONDS) / _HOUR


def price_note(
    size: Size, prices: Prices | None, *, timeout_seconds: int | None = None, stop_seconds: int = 0
) -> str:
    """A sentence for the notes of a plan; empty where no prices are configured.

    Args:
        size: What the task gets.
        prices: Of the configuration.
        timeout_seconds: The job's limit; with one, the sentence says what it can cost.
        stop_seconds: How long the job may take to stop once its time is over.
    """
    if prices is None:
        return ""
    what = f"{size.vcpus:g} vCPU and {size.memory / _GIB:g} GiB"
    note = f"About {_money(hourly(size, prices), prices)} an hour at {what}"
    if timeout_seconds is not None:
        most = at_most(size, prices, timeout_seconds + stop_seconds)
        note += f", and at most {_money(most, prices)} within its timeout"
    return f"{note} (configured prices; storage, network and logs are not in it)."


def _money(amount: float, prices: Prices) -> str:
    # Four digits that count: these are parts of a cent.
    return f"{amount:.2f} {prices.currency}" if amount >= 100 else f"{amount:.4g} {prices.currency}"
