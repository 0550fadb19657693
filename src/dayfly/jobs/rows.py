"""The journal's table, and its rows as values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.jobs import ExitCodeSource, JobState, JobStatus, Reason
from dayfly.contract.tokens import from_token
from dayfly.jobs.entries import JournalEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobHandle

VERSION: Final = 1

#: Times are seconds since 1970. ``ended`` is the provider's word, ``ended_here`` is ours.
TABLE: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    provider TEXT NOT NULL,
    key TEXT NOT NULL,
    plugin TEXT NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    created REAL NOT NULL,
    token TEXT,
    launched REAL,
    never_launched INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    state INTEGER,
    exit_code INTEGER,
    exit_code_source INTEGER,
    signal INTEGER,
    reason INTEGER,
    message TEXT,
    evidence TEXT,
    made REAL,
    started REAL,
    ended REAL,
    ended_here REAL,
    deleted REAL,
    PRIMARY KEY (provider, key)
)
"""


def status_columns(status: JobStatus) -> dict[str, object]:
    """A status as columns."""
    return {
        "state": status.state.value,
        "exit_code": status.exit_code,
        "exit_code_source": status.exit_code_source.value,
        "signal": status.signal,
        "reason": status.reason.value if status.reason else None,
        "message": status.message,
        "evidence": status.evidence,
        "made": _seconds(status.created),
        "started": _seconds(status.started),
        "ended": _seconds(status.ended),
    }


def to_entry(row: Mapping[str, Any]) -> JournalEntry:
    """A row as an entry.

    Raises:
        InvalidField: Its handle is damaged.
    """
    handle = from_token(row["token"]) if row["token"] else None
    return JournalEntry(
        key=row["key"],
        provider=row["provider"],
        plugin=row["plugin"],
        name=row["name"],
        digest=row["digest"],
        handle=handle,
        status=_status(row, handle) if handle else None,
        launched=_time(row["launched"]),
        never_launched=bool(row["never_launched"]),
        cancel_requested=bool(row["cancel_requested"]),
        created=datetime.fromtimestamp(row["created"], UTC),
        ended=_time(row["ended_here"]),
        deleted=_time(row["deleted"]),
    )


def _status(row: Mapping[str, Any], handle: JobHandle) -> JobStatus | None:
    if row["state"] is None:
        return None
    return JobStatus(
        handle=handle,
        state=JobState(row["state"]),
        exit_code=row["exit_code"],
        exit_code_source=ExitCodeSource(row["exit_code_source"]),
        signal=row["signal"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        message=row["message"],
        evidence=row["evidence"],
        created=_time(row["made"]),
        started=_time(row["started"]),
        ended=_time(row["ended"]),
    )


def _seconds(time: datetime | None) -> float | None:
    return time.timestamp() if time else None


def _time(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
