"""What a job's files say, in the contract's words."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dayfly.contract.jobs import ExitCodeSource, JobState, JobStatus, Reason
from dayfly.providers.local import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.local.client import Record

_STOPPED = {
    layout.STOP_CANCEL: (JobState.CANCELLED, Reason.CANCELLED, "cancelled"),
    layout.STOP_TIMEOUT: (JobState.FAILED, Reason.TIMED_OUT, "stopped at its timeout"),
    layout.STOP_CPU_TIME: (JobState.FAILED, Reason.TIMED_OUT, "stopped: its CPU time is used up"),
    layout.STOP_MEMORY: (JobState.FAILED, Reason.OUT_OF_MEMORY, "stopped: over its memory"),
}


def status_of(handle: JobHandle, record: Record) -> JobStatus:
    """Where a job stands."""
    created, started = _time(record.job.get("created")), _started(record)
    if record.result is not None:
        return _ended(handle, record.result, created, started)
    if record.alive and record.started is not None:
        return JobStatus(handle=handle, state=JobState.RUNNING, created=created, started=started)
    if record.started is not None:
        return JobStatus(
            handle=handle,
            state=JobState.UNKNOWN,
            reason=Reason.LOST,
            message="its supervisor was killed, and left no word of how it ended",
            created=created,
            started=started,
        )
    return JobStatus(
        handle=handle,
        state=JobState.PENDING,
        message="" if record.alive else "made, but not started: launch it again with its key",
        created=created,
    )


def gone(handle: JobHandle, *, lost: bool, message: str) -> JobStatus:
    """There is no record of the job here."""
    return JobStatus(
        handle=handle,
        state=JobState.UNKNOWN,
        reason=Reason.LOST if lost else None,
        message=message,
    )


def _ended(
    handle: JobHandle,
    result: Mapping[str, Any],
    created: datetime | None,
    started: datetime | None,
) -> JobStatus:
    number = result.get("signal")
    code = 128 + number if number else result.get("code")
    state, reason, message = _verdict(result, number)
    if result.get("cut"):
        message = f"{message}; some of its output may be missing".lstrip("; ")
    return JobStatus(
        handle=handle,
        state=state,
        exit_code=code,
        exit_code_source=ExitCodeSource.UNKNOWN if code is None else ExitCodeSource.REPORTED,
        signal=number,
        reason=reason,
        message=message,
        evidence=f"exit {result.get('code')}, signal {number}, stop {result.get('stop')!r}",
        created=created,
        started=started,
        ended=_time(result.get("ended")),
    )


def _verdict(result: Mapping[str, Any], number: int | None) -> tuple[JobState, Reason, str]:
    if result.get("stop") == layout.STOP_NEVER_STARTED:
        message = f"the command could not be executed: {result.get('failure')}"
        return JobState.FAILED, Reason.NEVER_STARTED, message
    if result.get("failure"):
        return JobState.FAILED, Reason.PROVIDER_ERROR, f"its supervisor broke: {result['failure']}"
    if stopped := _STOPPED.get(str(result.get("stop"))):
        return stopped
    if result.get("code") == 0:
        return JobState.SUCCEEDED, Reason.COMPLETED, ""
    message = f"ended by {_signal_name(number)}" if number else ""
    return JobState.FAILED, Reason.EXITED_NONZERO, message


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _started(record: Record) -> datetime | None:
    return _time(record.started.get("time")) if record.started else None


def _time(nanoseconds: object) -> datetime | None:
    if not isinstance(nanoseconds, int):
        return None
    return datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC)
