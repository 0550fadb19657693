"""Every state and every reason of Batch's, a row each."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from dayfly.contract.jobs import ExitCodeSource, JobHandle, JobState, Reason
from dayfly.providers.aws.batch.reasons import CANCEL_WORDS, REASONS, SUPERSEDED_WORDS, why_failed
from dayfly.providers.aws.batch.states import (
    STATES,
    has_ended,
    lacks_code,
    status_of,
    unknown,
    was_superseded,
)

HANDLE: Final = JobHandle(id="8c1d0a3e-4b0f-4d3c-9c57-0a7f5a1f2b3c", name="job", provider="aws")
CREATED, STARTED, STOPPED = 1_790_000_000_123, 1_790_000_010_000, 1_790_000_020_500
EXITED: Final = "Essential container in task exited"


def job(status: str, code: int | None = None, why: str = "", **members: Any) -> dict[str, Any]:
    detail: dict[str, Any] = {"status": status, "createdAt": CREATED, "container": {}}
    if status in {"RUNNING", "SUCCEEDED", "FAILED"}:
        detail["startedAt"] = STARTED
    if status in {"SUCCEEDED", "FAILED"}:
        detail["stoppedAt"] = STOPPED
    if code is not None:
        detail["container"] = {"exitCode": code}
    if why:
        detail["statusReason"] = why
    return detail | members


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("SUBMITTED", JobState.PENDING),
        ("PENDING", JobState.PENDING),
        ("RUNNABLE", JobState.PENDING),
        ("STARTING", JobState.PENDING),
        ("RUNNING", JobState.RUNNING),
        ("SUCCEEDED", JobState.SUCCEEDED),
        ("FAILED", JobState.FAILED),
        ("HIBERNATING", JobState.UNKNOWN),
    ],
)
def test_each_state(word: str, state: JobState) -> None:
    status = status_of(HANDLE, job(word))
    assert status.state is state
    assert f"status={word}" in status.evidence
    assert status.final == (word in {"SUCCEEDED", "FAILED"}) == has_ended(job(word))


def test_the_table_has_every_state_of_aws_s_model() -> None:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model("batch", "service-2"), "batch")
    assert set(model.shape_for("JobStatus").enum) == set(STATES)


_NO_AUTH: Final = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed"
)
_LIMIT: Final = "Canceled by JobStateTimeLimit action due to reason"
#: What AWS says, what it means, and whether it may pass for a job that never ran.
_SAID: Final = [
    (CANCEL_WORDS, Reason.CANCELLED, False),
    (SUPERSEDED_WORDS, Reason.CANCELLED, False),
    ("Job attempt duration exceeded timeout", Reason.TIMED_OUT, False),
    ("OutOfMemoryError: Container killed due to memory usage", Reason.OUT_OF_MEMORY, False),
    (
        "CannotPullContainerError: Get https://x/v2/: net/http: TLS handshake timeout",
        Reason.IMAGE_UNAVAILABLE,
        True,
    ),
    (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found",
        Reason.IMAGE_UNAVAILABLE,
        False,
    ),
    (
        f"{_NO_AUTH}: unable to retrieve ecr registry auth: service call has been retried",
        Reason.IMAGE_UNAVAILABLE,
        False,
    ),
    (
        f"{_NO_AUTH}: unable to retrieve secret from asm: service call has been retried",
        Reason.SECRET_UNAVAILABLE,
        False,
    ),
    (
        "ResourceInitializationError: failed to validate logger args: the log group is missing",
        Reason.PROVIDER_ERROR,
        False,
    ),
    ("Host EC2 (instance i-0123456789abcdef0) terminated.", Reason.RECLAIMED, False),
    ("Your Spot Task was interrupted.", Reason.RECLAIMED, False),
    ("Timeout waiting for network interface provisioning to complete.", Reason.NO_CAPACITY, True),
    ("Capacity is unavailable at this time. Please try again later", Reason.NO_CAPACITY, True),
    (
        f"{_LIMIT}: CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
        Reason.NO_CAPACITY,
        False,
    ),
    (
        f"{_LIMIT}: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
        Reason.NEVER_STARTED,
        False,
    ),
    ("Container Overrides length must be at most 8192", Reason.NEVER_STARTED, False),
    (
        'CannotStartContainerError: exec: "nope": executable file not found in $PATH',
        Reason.NEVER_STARTED,
        False,
    ),
    ("Task failed to start", Reason.NEVER_STARTED, False),
]


@pytest.mark.parametrize(("said", "reason", "may_pass"), _SAID)
@pytest.mark.parametrize("place", ["job", "container", "attempt", "attempt's container"])
def test_each_reason(said: str, reason: Reason, may_pass: bool, place: str) -> None:
    failed = job("FAILED") | {"startedAt": 0}
    match place:
        case "job":
            failed["statusReason"] = said
        case "container":
            failed["container"] = {"reason": said}
        case "attempt":
            failed["attempts"] = [{}, {"statusReason": said}]
        case _:
            failed["attempts"] = [{"container": {"reason": said}}]
    status = status_of(HANDLE, failed)
    cancelled = reason is Reason.CANCELLED
    assert status.state is (JobState.CANCELLED if cancelled else JobState.FAILED)
    assert (status.reason, status.may_pass, status.exit_code) == (reason, may_pass, None)
    assert said in status.message
    assert said in status.evidence


def test_every_row_of_the_table_is_tested() -> None:
    assert {why_failed([said]) for said, _, _ in _SAID} == set(REASONS)


def test_the_particular_counts_before_the_general() -> None:
    image = job(
        "FAILED",
        why="Task failed to start",
        container={"reason": "CannotPullContainerError: no such image"},
    )
    assert status_of(HANDLE, image).reason is Reason.IMAGE_UNAVAILABLE
    memory = job(
        "FAILED", why=EXITED, container={"exitCode": 137, "reason": "OutOfMemoryError: killed"}
    )
    status = status_of(HANDLE, memory)
    assert (status.reason, status.exit_code) == (Reason.OUT_OF_MEMORY, 137)


def test_what_ran_is_not_launched_again() -> None:
    said = "Timeout waiting for network interface provisioning to complete."
    assert not status_of(HANDLE, job("FAILED", why=said)).may_pass


@pytest.mark.parametrize("code", [1, 42, 125, 137, 255])
def test_an_exit_code_is_what_batch_says(code: int) -> None:
    status = status_of(HANDLE, job("FAILED", code, EXITED))
    assert (status.state, status.reason) == (JobState.FAILED, Reason.EXITED_NONZERO)
    assert (status.exit_code, status.exit_code_source) == (code, ExitCodeSource.REPORTED)


def test_a_timeout_keeps_its_code() -> None:
    status = status_of(HANDLE, job("FAILED", 137, "Job attempt duration exceeded timeout"))
    assert (status.state, status.reason) == (JobState.FAILED, Reason.TIMED_OUT)
    assert status.exit_code == 137


def test_the_code_may_be_in_the_last_attempt_or_in_the_list() -> None:
    attempts = [{"container": {"exitCode": 9}}, {"container": {"exitCode": 4}}]
    assert status_of(HANDLE, job("FAILED", attempts=attempts)).exit_code == 4
    bare, summary = job("FAILED"), {"container": {"exitCode": 6}}
    assert lacks_code(bare)
    assert not lacks_code(job("FAILED", 6))
    assert not lacks_code(job("FAILED") | {"startedAt": 0})
    assert status_of(HANDLE, bare, summary).exit_code == 6


def test_success_without_a_code_is_inferred_from_the_state() -> None:
    told, inferred = status_of(HANDLE, job("SUCCEEDED", 0)), status_of(HANDLE, job("SUCCEEDED"))
    assert told.exit_code == inferred.exit_code == 0
    assert told.exit_code_source is ExitCodeSource.REPORTED
    assert inferred.exit_code_source is ExitCodeSource.INFERRED
    assert told.reason is inferred.reason is Reason.COMPLETED


def test_a_failure_that_says_nothing_has_no_code_and_no_guess() -> None:
    status = status_of(HANDLE, job("FAILED"))
    assert (status.exit_code, status.exit_code_source) == (None, ExitCodeSource.UNKNOWN)
    assert status.reason is Reason.PROVIDER_ERROR
    never = status_of(HANDLE, job("FAILED") | {"startedAt": 0})
    assert never.reason is Reason.NEVER_STARTED


@pytest.mark.parametrize("flag", ["isTerminated", "isCancelled"])
def test_a_stop_by_somebody_else_is_a_cancel(flag: str) -> None:
    status = status_of(HANDLE, job("FAILED", 137, "the cluster is being drained", **{flag: True}))
    assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
    assert status.message == "the cluster is being drained"
    assert flag in status.evidence


def test_what_ended_by_itself_before_the_stop_did() -> None:
    status = status_of(HANDLE, job("FAILED", 7, EXITED, isTerminated=True))
    assert (status.state, status.exit_code) == (JobState.FAILED, 7)
    succeeded = status_of(HANDLE, job("SUCCEEDED", 0, CANCEL_WORDS))
    assert succeeded.state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot", Reason.NO_CAPACITY),
        ("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - too few", None),
    ],
)
def test_a_job_that_waits_says_for_what(said: str, reason: Reason | None) -> None:
    status = status_of(HANDLE, job("RUNNABLE", why=said))
    assert (status.state, status.reason, status.final) == (JobState.PENDING, reason, False)
    assert said in status.message


def test_times_are_milliseconds_since_1970() -> None:
    status = status_of(HANDLE, job("FAILED", 1))
    assert status.created == datetime(2026, 9, 21, 14, 13, 20, 123000, tzinfo=UTC)
    assert (status.ended - status.started).total_seconds() == 10.5  # type: ignore[operator]
    assert status_of(HANDLE, job("RUNNING") | {"stoppedAt": 0}).ended is None
    early = status_of(HANDLE, job("FAILED", 1) | {"stoppedAt": STARTED - 5})
    assert early.ended == early.started


def test_no_record_is_unknown_and_not_yet_lost() -> None:
    status = unknown(HANDLE)
    assert (status.state, status.reason, status.final) == (JobState.UNKNOWN, None, False)


def test_which_job_gave_way() -> None:
    assert was_superseded(job("FAILED", why=SUPERSEDED_WORDS))
    assert not was_superseded(job("FAILED", why=CANCEL_WORDS))


def test_a_fresh_end_without_a_code_waits_for_it_and_an_old_one_does_not() -> None:
    now = int(time.time() * 1000)
    job = {"status": "FAILED", "startedAt": now - 60_000, "stoppedAt": now}
    fresh = status_of(JobHandle(id="j"), job)
    assert (fresh.state, fresh.final) == (JobState.RUNNING, False)
    old = status_of(JobHandle(id="j"), {**job, "stoppedAt": now - 30_000})
    assert (old.state, old.exit_code) == (JobState.FAILED, None)
    told = status_of(JobHandle(id="j"), {**job, "container": {"exitCode": 3}})
    assert (told.state, told.exit_code) == (JobState.FAILED, 3)
