"""What the machine and the supervisor say, in dayfly's errors. The only place that knows both."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dayfly.contract.errors import (
    AlreadyExists,
    Conflict,
    DataLoss,
    DayflyError,
    DeadlinePassed,
    FailedPrecondition,
    InvalidField,
    NotFound,
    PermissionDenied,
    ProviderFailed,
    Unavailable,
)
from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})


@contextmanager
def explained(tried: str, place: Path) -> Iterator[None]:
    """Turn what the system refuses into an error that says what was tried, and where."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, tried, place) from error


def from_os_error(error: OSError, tried: str, place: Path) -> DayflyError:
    """An error of the system, in our words."""
    where = error.filename if isinstance(error.filename, str) else str(place)
    said = f"{tried}: {where}: {error.strerror}"
    if error.errno in _FULL:
        return FailedPrecondition(
            said, advice="Free some space, or put the state elsewhere with DAYFLY_STATE_DIR."
        )
    if error.errno in _EXHAUSTED:
        return Unavailable(said, advice="The machine is out of processes, files or memory.")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return PermissionDenied(
            said, advice="Make the state directory yours, or name another with DAYFLY_STATE_DIR."
        )
    return ProviderFailed(said)


def not_executed(number: int, path: str, argv: tuple[str, ...], cwd: str) -> InvalidField:
    """The command could not be executed; nothing is left of the job."""
    why = _strerror(number)
    if path == cwd and path != argv[0]:
        return InvalidField(
            f"working_dir {cwd!r} is no directory to start in: {why}",
            field="working_dir",
            reason=Reason.NEVER_STARTED,
        )
    if number == errno.E2BIG:
        return InvalidField(
            f"{argv[0]!r} could not be executed: argv and environment are too long: {why}",
            field="command",
            reason=Reason.NEVER_STARTED,
        )
    return InvalidField(
        f"command[0] is {argv[0]!r}, which could not be executed: {why}",
        field="command[0]",
        reason=Reason.NEVER_STARTED,
        advice="Give the path of a program, or one that is in PATH; a line of shell needs "
        "`sh -c`, and a script needs a #! line and `chmod +x`.",
    )


def _strerror(number: int) -> str:
    import os  # noqa: PLC0415 - for this one sentence

    return os.strerror(number)


def no_such_job(job_id: str) -> NotFound:
    """There is no directory of this job."""
    shown = ascii(job_id)[:60]
    return NotFound(
        f"there is no job {shown} on this machine",
        advice="`dayfly ps --on local` lists those that there are.",
    )


def elsewhere(job_id: str, host: str, here: str) -> FailedPrecondition:
    """The handle is of another machine's job."""
    return FailedPrecondition(
        f"job {ascii(job_id)[:60]} is a process of the machine {ascii(host)[:80]}; "
        f"this is {here!r}",
        advice="Run dayfly there: the local provider knows only its own machine.",
    )


def still_runs(job_id: str) -> FailedPrecondition:
    """The job's directory is in use."""
    return FailedPrecondition(f"job {job_id} has not ended", advice="Cancel it first.")


def other_intent(job_id: str) -> AlreadyExists:
    """The key has a job already, and it is another one."""
    return AlreadyExists(
        f"the key already has the job {job_id}, which was made for a different command",
        field="key",
        advice="Use a new key for a new job, or the same job with this key.",
    )


def supervisor_silent(job_id: str, seconds: float) -> DeadlinePassed:
    """The supervisor did not say that the command runs."""
    return DeadlinePassed(
        f"the supervisor of job {job_id} gave no answer within {seconds:g} s",
        advice="The machine may be overloaded; asking again with the same key adopts the job.",
    )


def supervisor_broke(job_id: str, log: str) -> ProviderFailed:
    """The supervisor ended before the command could start."""
    said = log.strip().splitlines()[-1:] or ["it said nothing"]
    return ProviderFailed(f"the supervisor of job {job_id} ended at once: {said[0]}")


def gone_meanwhile(job_id: str) -> Conflict:
    """Somebody removed the job while it was being launched."""
    return Conflict(f"job {job_id} was removed while it was being launched")


def damaged(path: Path, why: str) -> DataLoss:
    """A file of ours does not hold what we wrote."""
    return DataLoss(f"{path} is damaged: {why}", advice=f"Remove {path.parent}.")


def bad_cursor(cursor: str) -> InvalidField:
    """The cursor is none that this job gave."""
    return InvalidField(f"cursor {ascii(cursor)[:60]} is none of this job's output", field="cursor")
