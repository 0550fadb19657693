from __future__ import annotations

import pytest

from dayfly.cli.exits import exit_code_for
from dayfly.contract.jobs import JobHandle, JobState, JobStatus, Reason

FAILED, CANCELLED = JobState.FAILED, JobState.CANCELLED


@pytest.mark.parametrize(
    ("state", "code", "signal", "reason", "expected"),
    [
        (JobState.SUCCEEDED, 0, None, Reason.COMPLETED, 0),
        (JobState.SUCCEEDED, None, None, Reason.COMPLETED, 0),
        (FAILED, 42, None, Reason.EXITED_NONZERO, 42),
        (FAILED, 137, 9, Reason.OUT_OF_MEMORY, 137),
        (FAILED, None, 9, Reason.EXITED_NONZERO, 137),
        (FAILED, None, None, None, 1),
        (FAILED, 143, 15, Reason.TIMED_OUT, 124),
        (CANCELLED, 143, 15, Reason.CANCELLED, 130),
        (FAILED, None, None, Reason.IMAGE_UNAVAILABLE, 125),
        (FAILED, None, None, Reason.NEVER_STARTED, 125),
        (FAILED, 1, None, Reason.PROVIDER_ERROR, 125),
        (JobState.UNKNOWN, None, None, Reason.LOST, 125),
        (JobState.RUNNING, None, None, None, 125),
    ],
)
def test_the_table_of_exit_codes(state, code, signal, reason, expected):
    status = JobStatus(
        handle=JobHandle(id="x"), state=state, exit_code=code, signal=signal, reason=reason
    )
    assert exit_code_for(status) == expected


def test_who_cancelled_decides_a_cancelled_jobs_code():
    status = JobStatus(handle=JobHandle(id="x"), state=CANCELLED, exit_code=0)
    assert exit_code_for(status, cancelled_as=143) == 143
