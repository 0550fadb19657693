"""The error tree. One gRPC code per class; every message is written for a person.

DayflyError
├── InvalidField          INVALID_ARGUMENT     the request is wrong; naming the field
├── NotFound              NOT_FOUND            the job, image or object is not there
├── AlreadyExists         ALREADY_EXISTS       the key belongs to another job
├── PermissionDenied      PERMISSION_DENIED    known, but not allowed
├── Unauthenticated       UNAUTHENTICATED      credentials missing, wrong or expired
├── FailedPrecondition    FAILED_PRECONDITION  something must be set up first
├── NotServed             UNIMPLEMENTED        the plugin does not have this capability
├── ProviderFailed        INTERNAL             the provider or plugin broke
├── DataLoss              DATA_LOSS            output or evidence is gone
├── Stopped               CANCELLED            the call was cancelled
├── Unclassified          UNKNOWN              a plugin said nothing more precise
└── Transient             (never raised itself) may pass; tried again until a deadline
    ├── Throttled         RESOURCE_EXHAUSTED   too many calls; says nothing about a job
    ├── Unavailable       UNAVAILABLE          cannot be reached now
    ├── Conflict          ABORTED              lost a race with another writer
    └── DeadlinePassed    DEADLINE_EXCEEDED    no answer in time
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from dayfly.contract.jobs import Reason


class Code(IntEnum):
    """gRPC status codes, by their numbers on the wire."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class DayflyError(Exception):
    """Any failure that dayfly explains.

    Attributes:
        message: What was tried, on what, and what came back.
        advice: What to do next; empty where there is nothing to say.
        field: The refused field's name, where one was refused.
        reason: Why a job did not run, where that is known.
        retry_after_seconds: When the provider asked to be called again.
    """

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        field: str = "",
        reason: Reason | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.field = field
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class InvalidField(DayflyError):
    """A request that can never work as it stands."""

    code = Code.INVALID_ARGUMENT


class NotFound(DayflyError):
    """What was named is not there."""

    code = Code.NOT_FOUND


class AlreadyExists(DayflyError):
    """The idempotency key, or the name made from it, belongs to a different job."""

    code = Code.ALREADY_EXISTS


class PermissionDenied(DayflyError):
    """The provider knows who asks, and refuses."""

    code = Code.PERMISSION_DENIED


class Unauthenticated(DayflyError):
    """Credentials are missing, wrong or expired."""

    code = Code.UNAUTHENTICATED


class FailedPrecondition(DayflyError):
    """Something must be there, or be set up, before this can work."""

    code = Code.FAILED_PRECONDITION


class NotServed(DayflyError):
    """The plugin does not serve this capability."""

    code = Code.UNIMPLEMENTED


class ProviderFailed(DayflyError):
    """The provider or the plugin's process broke."""

    code = Code.INTERNAL


class DataLoss(DayflyError):
    """Output or evidence that was there is gone."""

    code = Code.DATA_LOSS


class Stopped(DayflyError):
    """The call was cancelled by its caller."""

    code = Code.CANCELLED


class Unclassified(DayflyError):
    """A failure that arrived without a code, as a plain Go error does."""

    code = Code.UNKNOWN


class Transient(DayflyError):
    """A failure that may pass; ``jobs`` tries again until its deadline."""


class Throttled(Transient):
    """Too many calls. It says nothing about any job."""

    code = Code.RESOURCE_EXHAUSTED


class Unavailable(Transient):
    """The provider or the plugin cannot be reached now."""

    code = Code.UNAVAILABLE


class Conflict(Transient):
    """Another writer came first; looking again may settle it."""

    code = Code.ABORTED


class DeadlinePassed(Transient):
    """No answer came within the call's deadline."""

    code = Code.DEADLINE_EXCEEDED


BY_CODE: dict[Code, type[DayflyError]] = {
    kind.code: kind
    for kind in (
        InvalidField,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        Unauthenticated,
        FailedPrecondition,
        NotServed,
        ProviderFailed,
        DataLoss,
        Stopped,
        Unclassified,
        Throttled,
        Unavailable,
        Conflict,
        DeadlinePassed,
    )
}
