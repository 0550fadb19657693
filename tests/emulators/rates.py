"""Token buckets: as many calls at once, refilled at a pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rate:
    """What a bucket holds at most, and its pace."""

    burst: float
    per_second: float


@dataclass(slots=True)
class Bucket:
    """Tokens left, as of a moment."""

    tokens: float
    at: float

    def take(self, rate: Rate, now: float) -> bool:
        """Whether there was one."""
        self.tokens = min(rate.burst, self.tokens + (now - self.at) * rate.per_second)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def to_rate(value: Any) -> Rate:
    """A rate from JSON, or as it is."""
    if isinstance(value, Rate):
        return value
    return Rate(**value) if isinstance(value, dict) else Rate(*value)
