"""Removes what ended jobs and crashes left."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dayfly.contract.jobs import JobState
from dayfly.contract.provider import Leftover

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobStatus
    from dayfly.contract.provider import ListedJob
    from dayfly.providers.local.client import Client


def prune(
    client: Client, jobs: Sequence[ListedJob], *, dry_run: bool, older_than_seconds: int
) -> list[Leftover]:
    """Remove ended jobs that are old enough, and directories that a crash left half made."""
    latest = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    gone = []
    for job in jobs:
        status = job.status
        never_started = status.state is JobState.PENDING and bool(job.warning)
        if not (status.final or never_started) or (_end_of(status) or latest) > latest:
            continue
        if not dry_run:
            client.remove(status.handle.id)
        ended = status.reason.name.lower() if status.reason else "never started"
        gone.append(Leftover(kind="job", name=status.handle.name or status.handle.id, detail=ended))
    for path in client.abandoned():
        if not dry_run:
            shutil.rmtree(path)
        gone.append(Leftover(kind="half-made directory", name=str(path)))
    return gone


def _end_of(status: JobStatus) -> datetime | None:
    # When a lost job ended nobody knows; it began to be old when it began.
    return status.ended or status.started or status.created
