"""Times, as the API writes them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.emulators.digitalocean.knobs import Knobs

ZERO: Final = "0001-01-01T00:00:00Z"


def now() -> float:
    """Seconds since 1970."""
    return time.time()


def coarse(moment: float, knobs: Knobs) -> str:
    """Of an app or a deployment."""
    return written(moment, 0 if knobs.whole_seconds else 9)


def fine(moment: float) -> str:
    """Of a step or an invocation."""
    return written(moment, 9)


def written(moment: float, digits: int) -> str:
    """A time with so many digits of a second."""
    whole = datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    if not digits:
        return f"{whole}Z"
    fraction = f"{moment % 1:.9f}"[2 : 2 + digits]
    return f"{whole}.{fraction}Z"
