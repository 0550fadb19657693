"""What goes wrong before a call reaches its service: credentials, quotas, faults on demand."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulators.aws.errors import ApiError
from tests.emulators.fault import FaultCounts
from tests.emulators.rates import Bucket

if TYPE_CHECKING:
    from tests.emulators.aws.knobs import Fault, Knobs


@dataclass(slots=True)
class FaultBook:
    """Remembers how often each fault has been, and what is left in each bucket."""

    counts: FaultCounts[Fault] = field(default_factory=FaultCounts)
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def due(self, knobs: Knobs, service: str, operation: str) -> list[Fault]:
        """The faults that this call meets; they are counted as having been."""
        return self.counts.due(knobs.faults, _names(service, operation))

    def forget(self, knobs: Knobs) -> None:
        """Drop what is not set any more, and begin counting what is new."""
        self.counts.forget(knobs.faults)

    def throttle(self, knobs: Knobs, region: str, service: str, operation: str) -> None:
        """Take a token.

        Raises:
            ApiError: There was none.
        """
        for name in _names(service, operation):
            rate = knobs.rates.get(name)
            if rate is None:
                continue
            now = time.monotonic()
            # "ecs" and "*" are one bucket each for all that falls into it.
            bucket = self.buckets.setdefault((region, name), Bucket(rate.burst, now))
            if not bucket.take(rate, now):
                raise throttled(service)
            return


def _names(service: str, operation: str) -> tuple[str, ...]:
    return (f"{service}.{operation}", operation, service, "*")


def throttled(service: str) -> ApiError:
    """As each protocol words it."""
    if service == "ec2":
        return ApiError("RequestLimitExceeded", "Request limit exceeded.", status=503)
    code = "Throttling" if service in {"sts", "iam"} else "ThrottlingException"
    return ApiError(code, "Rate exceeded")


def expired(service: str) -> ApiError:
    """Temporary credentials that are over."""
    if service == "ec2":
        return ApiError("RequestExpired", "Request has expired.")
    message = "The security token included in the request is expired"
    if service in {"sts", "iam"}:
        return ApiError("ExpiredToken", message, status=403)
    return ApiError("ExpiredTokenException", message)


def bad_credentials(service: str) -> ApiError:
    """Credentials that nobody knows."""
    if service == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return ApiError("AuthFailure", message, status=401)
    message = "The security token included in the request is invalid."
    if service in {"sts", "iam"}:
        return ApiError("InvalidClientTokenId", message, status=403)
    return ApiError("UnrecognizedClientException", message)


def denied(knobs: Knobs, region: str, service: str, operation: str, said: str = "") -> ApiError:
    """Credentials without the permission, in AWS's words or in those of the fault."""
    if said:
        return ApiError("AccessDeniedException", said)
    caller = knobs.caller.format(account=knobs.account)
    action = f"{service}:{operation}"
    if service == "ec2":
        message = (
            "You are not authorized to perform this operation. "
            f"User: {caller} is not authorized to perform: {action} "
            f"because no identity-based policy allows the {action} action"
        )
        return ApiError("UnauthorizedOperation", message, status=403)
    message = (
        f"User: {caller} is not authorized to perform: {action} "
        f"on resource: arn:aws:{service}:{region}:{knobs.account}:* "
        f"because no identity-based policy allows the {action} action"
    )
    if service in {"sts", "iam"}:
        return ApiError("AccessDenied", message, status=403)
    return ApiError("AccessDeniedException", message)


def server_error(service: str, fault: Fault) -> ApiError:
    """A failure on AWS's side."""
    code = {"ecs": "ServerException", "logs": "ServiceUnavailableException"}.get(
        service, "InternalFailure" if fault.status == 500 else "ServiceUnavailable"
    )
    return ApiError(code, fault.message or "Service Unavailable", status=fault.status)
