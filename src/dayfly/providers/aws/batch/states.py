"""Batch's states, in the contract's words.

Source: docs.aws.amazon.com/batch/latest/userguide/job_states.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dayfly.contract.jobs import ExitCodeSource, JobState, JobStatus, Reason
from dayfly.providers.aws.batch.reasons import SUPERSEDED_WORDS, why_failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobHandle

STATES: Final = {
    "SUBMITTED": JobState.PENDING,
    "PENDING": JobState.PENDING,
    "RUNNABLE": JobState.PENDING,
    "STARTING": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
}

#: The container ended by itself: whatever else was asked for came too late.
_ENDED_BY_ITSELF: Final = "Essential container in task exited"
#: Where a code is told after the state, it is told by then.
_CODE_FOLLOWS: Final = timedelta(seconds=5)
_WAITS: Final = re.compile(r"CAPACITY:|MISCONFIGURATION:")


class _Verdict(NamedTuple):
    state: JobState
    reason: Reason | None = None
    message: str = ""
    may_pass: bool = False


def status_of(
    handle: JobHandle, job: Mapping[str, Any], summary: Mapping[str, Any] | None = None
) -> JobStatus:
    """What DescribeJobs says of a job.

    Args:
        handle: The job.
        job: Its ``JobDetail``.
        summary: Its ``JobSummary`` of ListJobs, for an exit code that the detail lacks.
    """
    code, source = _exit_code(job, summary)
    verdict = _judge(job, code)
    started, ended = time_of(job, "startedAt"), time_of(job, "stoppedAt")
    final = verdict.state in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
    return JobStatus(
        handle=handle,
        state=verdict.state,
        exit_code=code,
        exit_code_source=source,
        reason=verdict.reason,
        message=verdict.message,
        evidence=_evidence(job, code),
        may_pass=verdict.may_pass,
        created=time_of(job, "createdAt"),
        started=started,
        # Two clocks: the end of a very short job may read as before its start.
        ended=(max(started, ended) if started and ended else ended) if final else None,
    )


def unknown(handle: JobHandle) -> JobStatus:
    """Batch has no such job: it is too new to be seen, or forgotten.

    Batch keeps an ended job for at least seven days.
    """
    return JobStatus(
        handle=handle,
        state=JobState.UNKNOWN,
        message="Batch has no record of the job; it keeps ended ones for 7 days",
    )


def has_ended(job: Mapping[str, Any]) -> bool:
    """It will not change any more; of a detail or a summary."""
    return job.get("status") in {"SUCCEEDED", "FAILED"}


def lacks_code(job: Mapping[str, Any]) -> bool:
    """It ran and ended, and its detail has no exit code, which its summary may have."""
    ran = time_of(job, "startedAt") is not None
    return has_ended(job) and ran and _code_in(job) is None


def was_superseded(job: Mapping[str, Any]) -> bool:
    """Dayfly stopped it in favour of an older job of its key."""
    return str(job.get("statusReason", "")).startswith(SUPERSEDED_WORDS)


def time_of(job: Mapping[str, Any], member: str) -> datetime | None:
    """A time of Batch's, milliseconds since 1970; None for none and for its zero."""
    value = job.get(member)
    return datetime.fromtimestamp(value / 1000, UTC) if value else None


def _judge(job: Mapping[str, Any], code: int | None) -> _Verdict:
    state = STATES.get(str(job.get("status", "")), JobState.UNKNOWN)
    words = str(job.get("statusReason") or "")
    if state is JobState.UNKNOWN:
        return _Verdict(state, message=f"Batch says {job.get('status')!r}, which is not known")
    if state is JobState.SUCCEEDED:
        return _Verdict(state, Reason.COMPLETED)
    if state is JobState.FAILED:
        return _judge_failed(job, code)
    if _WAITS.search(words):
        short = Reason.NO_CAPACITY if words.startswith("CAPACITY:") else None
        return _Verdict(state, short, f"waiting: {words}")
    return _Verdict(state)


def _judge_failed(job: Mapping[str, Any], code: int | None) -> _Verdict:
    words = _words(job)
    never_ran = time_of(job, "startedAt") is None
    if why := why_failed(words):
        state = JobState.CANCELLED if why.reason is Reason.CANCELLED else JobState.FAILED
        return _Verdict(state, why.reason, "; ".join(words), why.may_pass and never_ran)
    asked = job.get("isTerminated") or job.get("isCancelled")
    if asked and _ENDED_BY_ITSELF not in words:
        return _Verdict(JobState.CANCELLED, Reason.CANCELLED, "; ".join(words) or "terminated")
    if code:
        return _Verdict(JobState.FAILED, Reason.EXITED_NONZERO, f"exited with {code}")
    if not never_ran and _just_stopped(job):
        return _Verdict(JobState.RUNNING, message="has ended; its exit code is not told yet")
    said = words[0] if words else "Batch gives neither an exit code nor a reason"
    if never_ran:
        return _Verdict(JobState.FAILED, Reason.NEVER_STARTED, said)
    return _Verdict(JobState.FAILED, Reason.PROVIDER_ERROR, said)


def _just_stopped(job: Mapping[str, Any]) -> bool:
    """Its end is so fresh that the code may follow: a status must never be taken back."""
    stopped = time_of(job, "stoppedAt")
    return stopped is not None and datetime.now(UTC) - stopped < _CODE_FOLLOWS


def _last_attempt(job: Mapping[str, Any]) -> Mapping[str, Any]:
    attempts = job.get("attempts") or [{}]
    last: Mapping[str, Any] = attempts[-1]
    return last


def _words(job: Mapping[str, Any]) -> list[str]:
    """Everything that Batch says of the reason, the most general first."""
    attempt = _last_attempt(job)
    said = (
        job.get("statusReason"),
        (job.get("container") or {}).get("reason"),
        attempt.get("statusReason"),
        (attempt.get("container") or {}).get("reason"),
    )
    return list(dict.fromkeys(str(words) for words in said if words))


def _code_in(job: Mapping[str, Any]) -> int | None:
    for place in (job, _last_attempt(job)):
        code = (place.get("container") or {}).get("exitCode")
        if code is not None:
            return int(code)
    return None


def _exit_code(
    job: Mapping[str, Any], summary: Mapping[str, Any] | None
) -> tuple[int | None, ExitCodeSource]:
    if not has_ended(job):
        return None, ExitCodeSource.UNKNOWN
    code = _code_in(job)
    if code is None and summary:
        code = (summary.get("container") or {}).get("exitCode")
    if code is not None:
        return int(code), ExitCodeSource.REPORTED
    if job.get("status") == "SUCCEEDED":
        # "Until it succeeds (exits with code 0)": what the state itself means.
        return 0, ExitCodeSource.INFERRED
    return None, ExitCodeSource.UNKNOWN


def _evidence(job: Mapping[str, Any], code: int | None) -> str:
    said = [f"status={job.get('status')}"]
    said += [f"exitCode={code}"] if code is not None else []
    said += [name for name in ("isTerminated", "isCancelled") if job.get(name)]
    return "; ".join(said + _words(job))
