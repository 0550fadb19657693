"""One row of the engine's states, one verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dayfly.contract.jobs import ExitCodeSource, JobHandle, JobState, Reason
from dayfly.providers.docker.states import (
    gone,
    parse_time,
    running_from_list,
    status_from_inspect,
)

NEVER = "0001-01-01T00:00:00Z"
BEGAN = "2026-01-02T03:04:05.678901234Z"
HANDLE = JobHandle(id="c" * 64)

ROWS = [
    ("created", {"StartedAt": NEVER}, "x", JobState.PENDING, None, None),
    ("created", {"StartedAt": NEVER}, "x.cancelled", JobState.CANCELLED, Reason.CANCELLED, None),
    (
        "created",
        {"StartedAt": NEVER, "ExitCode": 127, "Error": "exec"},
        "x",
        JobState.FAILED,
        Reason.NEVER_STARTED,
        None,
    ),
    ("removing", {"StartedAt": NEVER}, "x", JobState.FAILED, Reason.NEVER_STARTED, None),
    ("running", {"Running": True}, "x", JobState.RUNNING, None, None),
    ("running", {"Running": True}, "x.cancelled", JobState.RUNNING, None, None),
    ("paused", {"Running": True}, "x", JobState.RUNNING, None, None),
    ("restarting", {"Running": True}, "x", JobState.RUNNING, None, None),
    ("exited", {"ExitCode": 0}, "x", JobState.SUCCEEDED, Reason.COMPLETED, 0),
    ("exited", {"ExitCode": 3}, "x", JobState.FAILED, Reason.EXITED_NONZERO, 3),
    ("exited", {"ExitCode": 143}, "x", JobState.FAILED, Reason.EXITED_NONZERO, 143),
    (
        "exited",
        {"ExitCode": 137, "OOMKilled": True},
        "x",
        JobState.FAILED,
        Reason.OUT_OF_MEMORY,
        137,
    ),
    ("exited", {"ExitCode": 0, "OOMKilled": True}, "x", JobState.SUCCEEDED, Reason.COMPLETED, 0),
    ("exited", {"ExitCode": 137}, "x.cancelled", JobState.CANCELLED, Reason.CANCELLED, 137),
    ("exited", {"ExitCode": 0}, "x.cancelled", JobState.CANCELLED, Reason.CANCELLED, 0),
    ("dead", {"ExitCode": 1}, "x", JobState.FAILED, Reason.EXITED_NONZERO, 1),
    ("removing", {"ExitCode": 0}, "x", JobState.SUCCEEDED, Reason.COMPLETED, 0),
]


@pytest.mark.parametrize("row", ROWS)
def test_a_row(row: tuple[str, dict[str, Any], str, JobState, Reason | None, int | None]) -> None:
    word, more, name, state, reason, code = row
    inspected = {
        "Name": f"/{name}",
        "Created": BEGAN,
        "State": {"Status": word, "StartedAt": BEGAN, "FinishedAt": NEVER, "ExitCode": 0} | more,
    }
    status = status_from_inspect(HANDLE, inspected)
    assert (status.state, status.reason, status.exit_code) == (state, reason, code)
    source = ExitCodeSource.UNKNOWN if code is None else ExitCodeSource.REPORTED
    assert status.exit_code_source is source
    # The engine gives a code, never a signal: 137 may be a KILL or an exit of 137.
    assert status.signal is None


def test_a_listed_running_container() -> None:
    row = {"State": "paused", "Status": "Up 2 seconds (Paused)", "Created": 1_700_000_000}
    status = running_from_list(HANDLE, row)
    assert (status.state, status.message) == (JobState.RUNNING, "paused")
    assert status.created == datetime.fromtimestamp(1_700_000_000, UTC)


def test_an_end_is_never_before_the_start() -> None:
    state = {"Status": "exited", "StartedAt": BEGAN, "FinishedAt": "2026-01-02T03:04:05.6Z"}
    status = status_from_inspect(HANDLE, {"Name": "/x", "State": state})
    assert status.ended == status.started == parse_time(BEGAN)


def test_what_is_gone_is_final() -> None:
    assert gone(HANDLE).final


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (NEVER, None),
        ("", None),
        ("nonsense", None),
        (BEGAN, datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        ("2026-01-02T05:04:05.5+02:00", datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC)),
    ],
)
def test_times(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time
