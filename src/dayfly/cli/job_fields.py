"""A job as ``--output json`` prints it: the same keys in every command, null where unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dayfly.contract.tokens import to_token

if TYPE_CHECKING:
    from dayfly.cli.naming import Chosen
    from dayfly.contract.jobs import JobHandle, JobStatus


def job_fields(
    *,
    name: str,
    provider: str,
    key: str = "",
    handle: JobHandle | None = None,
    status: JobStatus | None = None,
) -> dict[str, object]:
    """Keys of one job.

    ``name``, ``provider`` (the configuration), ``key``, ``handle`` (a token for any
    machine), ``state``, ``exit_code``, ``exit_code_source``, ``signal``, ``reason``,
    ``message``, ``evidence``, and ``created``, ``started``, ``ended`` as ISO 8601 in UTC.
    """
    handle = status.handle if status else handle
    return {
        "name": name or (handle.name if handle else ""),
        "provider": provider,
        "key": key or None,
        "handle": to_token(handle) if handle else None,
        "state": status.state.name if status else "UNKNOWN",
        "exit_code": status.exit_code if status else None,
        "exit_code_source": status.exit_code_source.name if status else "UNKNOWN",
        "signal": status.signal if status else None,
        "reason": status.reason.name if status and status.reason else None,
        "message": (status.message or None) if status else None,
        "evidence": (status.evidence or None) if status else None,
        "created": _time(status.created) if status else None,
        "started": _time(status.started) if status else None,
        "ended": _time(status.ended) if status else None,
    }


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def age(since: datetime | None) -> str:
    """How long ago, in the largest unit that fits."""
    if since is None:
        return ""
    seconds = max(int((datetime.now(UTC) - since).total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit} ago"
    return f"{seconds}s ago"


def summary(status: JobStatus) -> str:
    """One line about a job: state, code, why."""
    words = [status.state.name.lower()]
    if status.exit_code is not None:
        words.append(f"exit code {status.exit_code}")
    elif status.final:
        words.append("exit code unknown")
    if status.signal:
        words.append(f"signal {status.signal}")
    if status.reason and status.reason.name != status.state.name:
        words.append(status.reason.name.lower().replace("_", " "))
    line = ", ".join(words)
    said = status.message if status.message not in words else ""
    return f"{line}: {said}" if said else line


def chosen_fields(job: Chosen, status: JobStatus) -> dict[str, object]:
    """Keys of a job that was named on the command line."""
    return job_fields(name=job.name, provider=job.provider, key=job.key, status=status)


def chosen_line(job: Chosen, status: JobStatus) -> str:
    """The same as a line."""
    return f"{job.name}: {summary(status)}"
