"""Exit codes: the job's own where it has one, and a few that say what else happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dayfly.contract.jobs import JobState, Reason

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobStatus

FAILED: Final = 1
TIMED_OUT: Final = 124
DAYFLY_FAILED: Final = 125
INTERRUPTED: Final = 130
READER_GONE: Final = 141
TERMINATED: Final = 143

#: The job did not get to say anything: what failed is the provider, or the way there.
_NOT_THE_JOBS_OWN = frozenset(
    {
        Reason.LOST,
        Reason.NEVER_STARTED,
        Reason.PROVIDER_ERROR,
        Reason.IMAGE_UNAVAILABLE,
        Reason.SECRET_UNAVAILABLE,
        Reason.NO_CAPACITY,
        Reason.RECLAIMED,
    }
)


def exit_code_for(status: JobStatus, *, cancelled_as: int = INTERRUPTED) -> int:
    """The code with which a command leaves that ran or awaited this job.

    Args:
        status: How the job ended.
        cancelled_as: What a cancelled job counts as, by who cancelled it.
    """
    if status.reason is Reason.TIMED_OUT:
        return TIMED_OUT
    if status.state is JobState.CANCELLED:
        return cancelled_as
    if status.reason in _NOT_THE_JOBS_OWN or not status.final:
        return DAYFLY_FAILED
    if status.exit_code is not None:
        return status.exit_code
    if status.state is JobState.SUCCEEDED:
        return 0
    return 128 + status.signal if status.signal else FAILED
