"""The engine's states, in the contract's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dayfly.contract.jobs import ExitCodeSource, JobState, JobStatus, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobHandle

#: A container whose name ends so was cancelled: any machine can see it, and it survives.
CANCELLED_SUFFIX = ".cancelled"

#: Status words of containers whose process is alive.
ALIVE = frozenset({"running", "paused", "restarting"})

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: JobState
    reason: Reason | None = None
    message: str = ""
    coded: bool = False


def is_cancelled(name: str) -> bool:
    """Whether a container's name carries the mark of a cancel."""
    return name.endswith(CANCELLED_SUFFIX)


def parse_time(text: str) -> datetime | None:
    """A time as the engine writes it; None for its zero, the year 1."""
    found = _TIME.fullmatch(text)
    if not found or text.startswith("0001-"):
        return None
    whole, fraction, zone = found.groups()
    micros = ((fraction or "") + "000000")[:6]
    return datetime.fromisoformat(f"{whole}.{micros}{zone}").astimezone(UTC)


def status_from_inspect(handle: JobHandle, container: Mapping[str, Any]) -> JobStatus:
    """What an inspected container says of its job."""
    state = container.get("State") or {}
    name = str(container.get("Name", "")).removeprefix("/")
    verdict = _judge(state, cancelled=is_cancelled(name))
    code = int(state.get("ExitCode", 0)) if verdict.coded else None
    started, ended = (parse_time(str(state.get(key, ""))) for key in ("StartedAt", "FinishedAt"))
    if started and ended:
        # Two clocks of the engine: the end of a very short job may read as before its start.
        ended = max(started, ended)
    return JobStatus(
        handle=handle,
        state=verdict.state,
        exit_code=code,
        exit_code_source=ExitCodeSource.UNKNOWN if code is None else ExitCodeSource.REPORTED,
        reason=verdict.reason,
        message=verdict.message,
        evidence=_evidence(state),
        created=parse_time(str(container.get("Created", ""))),
        started=started,
        ended=None if state.get("Running") else ended,
    )


def running_from_list(handle: JobHandle, row: Mapping[str, Any]) -> JobStatus:
    """A status for a listed container whose process is alive."""
    word = str(row.get("State", ""))
    return JobStatus(
        handle=handle,
        state=JobState.RUNNING,
        message="" if word == "running" else word,
        evidence=str(row.get("Status", "")),
        created=datetime.fromtimestamp(int(row.get("Created", 0)), UTC),
    )


def gone(handle: JobHandle) -> JobStatus:
    """The engine has no such container, and will not have it again."""
    return JobStatus(
        handle=handle,
        state=JobState.UNKNOWN,
        reason=Reason.LOST,
        message=f"the engine has no container {handle.id[:12]}: it was removed",
    )


def _judge(state: Mapping[str, Any], *, cancelled: bool) -> _Verdict:
    word = state.get("Status", "")
    if word in ALIVE:
        return _Verdict(JobState.RUNNING, message="" if word == "running" else str(word))
    if parse_time(str(state.get("StartedAt", ""))) is None:
        return _judge_unstarted(state, cancelled=cancelled)
    if word == "created":
        return _Verdict(JobState.PENDING)
    return _judge_ended(state, cancelled=cancelled)


def _judge_unstarted(state: Mapping[str, Any], *, cancelled: bool) -> _Verdict:
    if cancelled:
        return _Verdict(JobState.CANCELLED, Reason.CANCELLED, "cancelled before it started")
    if error := str(state.get("Error", "")):
        return _Verdict(JobState.FAILED, Reason.NEVER_STARTED, f"could not be started: {error}")
    if state.get("Status") in {"dead", "removing"}:
        return _Verdict(JobState.FAILED, Reason.NEVER_STARTED, "removed before it started")
    return _Verdict(JobState.PENDING, message="created, not started")


def _judge_ended(state: Mapping[str, Any], *, cancelled: bool) -> _Verdict:
    code = int(state.get("ExitCode", 0))
    if cancelled:
        return _Verdict(JobState.CANCELLED, Reason.CANCELLED, "cancelled", coded=True)
    if code == 0:
        return _Verdict(JobState.SUCCEEDED, Reason.COMPLETED, coded=True)
    if state.get("OOMKilled"):
        message = "the kernel killed it for using more memory than its limit"
        return _Verdict(JobState.FAILED, Reason.OUT_OF_MEMORY, message, coded=True)
    return _Verdict(JobState.FAILED, Reason.EXITED_NONZERO, f"exited with {code}", coded=True)


def _evidence(state: Mapping[str, Any]) -> str:
    words = [f"{key}={state[key]}" for key in ("Status", "ExitCode") if key in state]
    words += ["OOMKilled"] if state.get("OOMKilled") else []
    words += [str(state["Error"])] if state.get("Error") else []
    return " ".join(words)
