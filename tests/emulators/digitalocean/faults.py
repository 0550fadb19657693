"""What goes wrong before a call is carried out: credentials, quotas, faults on demand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulators.digitalocean.errors import ApiError
from tests.emulators.digitalocean.wire import Cut
from tests.emulators.fault import FaultCounts
from tests.emulators.rates import Bucket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.emulators.digitalocean.knobs import Fault, Knobs


@dataclass(slots=True)
class FaultBook:
    """Remembers how often each fault has been, and what is left of the quotas."""

    counts: FaultCounts[Fault] = field(default_factory=FaultCounts)
    buckets: dict[int, Bucket] = field(default_factory=dict)

    def forget(self, knobs: Knobs) -> None:
        """Drop what is not set any more, and begin counting what is new."""
        self.counts.forget(knobs.faults)

    def due(self, knobs: Knobs, service: str, operation: str) -> Sequence[Fault]:
        """The faults that this call meets; they are counted as having been."""
        return self.counts.due(knobs.faults, (operation, service, "*"))

    def quota(self, knobs: Knobs) -> dict[str, str]:
        """Take a token of each bucket; headers that say what is left.

        Raises:
            ApiError: There was none.
        """
        now = time.monotonic()
        left, wait = 4999.0, 0.0
        for number, rate in enumerate(knobs.rates):
            bucket = self.buckets.setdefault(number, Bucket(rate.burst, now))
            if not bucket.take(rate, now):
                wait = max(wait, (1 - bucket.tokens) / rate.per_second)
            left = min(left, bucket.tokens)
        if wait:
            raise throttled(wait)
        return _headers(int(left), 3600)


def refuse(knobs: Knobs, due: Sequence[Fault], headers: Mapping[str, str]) -> None:
    """Answer for a fault, before anything is done.

    Raises:
        ApiError: The call is refused.
        Cut: The connection is cut.
    """
    kinds = {fault.kind: fault for fault in due}
    if fault := kinds.get("reset_before"):
        raise Cut(orderly=fault.orderly)
    token = headers.get("Authorization", "").removeprefix("Bearer ")
    if "unauthorized" in kinds or not token or (knobs.tokens and token not in knobs.tokens):
        raise ApiError(401, "Unable to authenticate you")
    if fault := kinds.get("throttled"):
        raise throttled(fault.seconds)
    if fault := kinds.get("denied"):
        said = fault.message or "You are not authorized to perform this operation"
        raise ApiError(403, said)
    if fault := kinds.get("conflict"):
        raise ApiError(409, fault.message or "a conflicting operation is in progress")
    if fault := kinds.get("server_error"):
        raise ApiError(fault.status, fault.message or "Unexpected server-side error")


def throttled(seconds: float) -> ApiError:
    """429, with how long to wait."""
    wait = max(0, -int(-seconds // 1))
    headers = {**_headers(0, wait), "retry-after": str(wait)}
    return ApiError(429, "API Rate limit exceeded.", headers=headers)


def _headers(left: int, seconds: float) -> dict[str, str]:
    return {
        "ratelimit-limit": "5000",
        "ratelimit-remaining": str(left),
        "ratelimit-reset": str(int(time.time() + seconds)),
    }
