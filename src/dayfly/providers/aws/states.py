"""ECS's states, stop codes and reasons, in the contract's words.

Sources: docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html,
.../stopped-task-error-codes.html, .../APIReference/API_Task.html (stopCode)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dayfly.contract.jobs import ExitCodeSource, JobState, JobStatus, Reason
from dayfly.providers.aws.why import NETWORK, Why

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobHandle

#: What StopTask is told, and a stopped task shows.
CANCEL_REASON: Final = "Cancelled by dayfly"

#: Everything but STOPPED may still change. A task that is stopping has not ended.
STATES: Final = {
    "PROVISIONING": JobState.PENDING,
    "PENDING": JobState.PENDING,
    "ACTIVATING": JobState.PENDING,
    "RUNNING": JobState.RUNNING,
    "DEACTIVATING": JobState.RUNNING,
    "STOPPING": JobState.RUNNING,
    "DEPROVISIONING": JobState.RUNNING,
}
_ENDED: Final = frozenset({"STOPPED", "DELETED"})


#: Stop codes that say all by themselves, whatever code the container left behind.
BY_STOP_CODE: Final = {
    "UserInitiated": (JobState.CANCELLED, Reason.CANCELLED),
    "SpotInterruption": (JobState.FAILED, Reason.RECLAIMED),
    "TerminationNotice": (JobState.FAILED, Reason.RECLAIMED),
    "InfrastructureHealth": (JobState.FAILED, Reason.PROVIDER_ERROR),
    "ServiceSchedulerInitiated": (JobState.FAILED, Reason.PROVIDER_ERROR),
}

#: Why a container has no exit code: the first that fits counts.
NEVER_STARTED: Final = (
    Why(rf"CannotPull.*({NETWORK})", Reason.IMAGE_UNAVAILABLE, may_pass=True),
    Why(r"CannotPull\w*|pull command failed", Reason.IMAGE_UNAVAILABLE),
    Why(r"executable file not found|exec format error|no such file", Reason.NEVER_STARTED),
    Why(
        rf"ResourceInitializationError.*(secret|ssm|parameter).*({NETWORK})",
        Reason.SECRET_UNAVAILABLE,
        may_pass=True,
    ),
    Why(
        r"ResourceInitializationError.*(retriev\w+ (from asm|secret|parameter)|secretsmanager|ssm|"
        r"pull secrets or registry auth)",
        Reason.SECRET_UNAVAILABLE,
    ),
    Why(
        r"ResourceInitializationError.*(logger|log group|log stream|awslogs)", Reason.PROVIDER_ERROR
    ),
    Why(r"ResourceInitializationError.*pull image", Reason.IMAGE_UNAVAILABLE),
    Why(r"network interface provisioning", Reason.NO_CAPACITY, may_pass=True),
    Why(r"EphemeralStorage", Reason.NO_CAPACITY, may_pass=True),
    Why(r"[Cc]apacity is unavailable|RESOURCE:", Reason.NO_CAPACITY, may_pass=True),
    Why(r"\bAGENT\b|agent.*disconnected", Reason.PROVIDER_ERROR, may_pass=True),
    Why(r"InternalError|Unexpected EC2 error", Reason.PROVIDER_ERROR, may_pass=True),
    Why(r"Cannot(Start|Create|Inspect)Container", Reason.NEVER_STARTED),
    Why(r"OutOfMemory", Reason.OUT_OF_MEMORY),
    Why(r"", Reason.NEVER_STARTED),
)
_OUT_OF_MEMORY: Final = r"OutOfMemory"


def missing(handle: JobHandle) -> JobStatus:
    """ECS does not know the task: it is too new, or was stopped over an hour ago."""
    return JobStatus(
        handle=handle,
        state=JobState.UNKNOWN,
        message="ECS has no record of the task; it keeps a stopped one for about an hour",
        evidence="MISSING",
    )


def status_from_task(handle: JobHandle, task: Mapping[str, Any], container: str) -> JobStatus:
    """What a described task says of its job.

    Args:
        handle: The job.
        task: An element of DescribeTasks' ``tasks``.
        container: Name of the job's own container; another's code is not the job's.
    """
    own = _own_container(task, container)
    last = str(task.get("lastStatus", ""))
    verdict = _judge(task, own) if last in _ENDED else _alive(task, last)
    started, ended = task.get("startedAt"), task.get("executionStoppedAt") or task.get("stoppedAt")
    code = own.get("exitCode") if last in _ENDED else None
    return JobStatus(
        handle=handle,
        state=verdict.state,
        exit_code=code,
        exit_code_source=ExitCodeSource.UNKNOWN if code is None else ExitCodeSource.REPORTED,
        reason=verdict.reason,
        message=verdict.message,
        evidence=_evidence(task, own),
        may_pass=verdict.may_pass,
        created=_time(task.get("createdAt")),
        started=_time(started),
        ended=_time(ended) if last in _ENDED else None,
    )


class _Verdict(NamedTuple):
    state: JobState
    reason: Reason | None = None
    message: str = ""
    may_pass: bool = False


def _alive(task: Mapping[str, Any], last: str) -> _Verdict:
    state = STATES.get(last, JobState.UNKNOWN)
    stopping = task.get("desiredStatus") == "STOPPED"
    return _Verdict(state, message=f"{last.lower()}, to be stopped" if stopping else last.lower())


def _judge(task: Mapping[str, Any], own: Mapping[str, Any]) -> _Verdict:
    stop_code = str(task.get("stopCode") or "")
    words = _words(task, own)
    code = own.get("exitCode")
    if stop_code in BY_STOP_CODE:
        return _Verdict(*BY_STOP_CODE[stop_code], message=words or stop_code)
    if code is None or stop_code == "TaskFailedToStart":
        why = next(why for why in NEVER_STARTED if re.search(why.words, words, re.DOTALL))
        started = task.get("startedAt") is not None and stop_code != "TaskFailedToStart"
        if started or code is not None:  # It ran: to run it again would be a second time.
            lost = Reason.PROVIDER_ERROR if why.reason is not Reason.OUT_OF_MEMORY else why.reason
            return _Verdict(JobState.FAILED, lost, words or stop_code)
        return _Verdict(JobState.FAILED, why.reason, words or stop_code, why.may_pass)
    if code == 0:
        return _Verdict(JobState.SUCCEEDED, Reason.COMPLETED)
    if re.search(_OUT_OF_MEMORY, words):
        return _Verdict(JobState.FAILED, Reason.OUT_OF_MEMORY, words)
    return _Verdict(JobState.FAILED, Reason.EXITED_NONZERO, f"exited with {code}")


def _own_container(task: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    containers: list[Mapping[str, Any]] = task.get("containers") or []
    # Empty right after RunTask; then there is nothing to know yet.
    return next((c for c in containers if c.get("name") == name), {})


def _words(task: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    said = (task.get("stoppedReason"), own.get("reason"))
    return "; ".join(dict.fromkeys(str(text) for text in said if text))


def _evidence(task: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    shown = {key: task.get(key) for key in ("lastStatus", "stopCode")}
    shown["exitCode"] = own.get("exitCode")
    facts = [f"{key}={value}" for key, value in shown.items() if value not in {None, ""}]
    return " ".join([*facts, *([words] if (words := _words(task, own)) else [])])


def _time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return None
