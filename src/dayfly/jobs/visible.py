"""What a provider shows of jobs: a new one may not be seen yet, an old one may be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError
from dayfly.contract.jobs import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle
    from dayfly.jobs.engine import Engine
    from dayfly.jobs.entries import JournalEntry


async def visible(
    engine: Engine, jobs: Sequence[tuple[str, JobHandle]]
) -> Sequence[tuple[str, JobHandle]]:
    """Those, by key and handle, of which the provider has a record, or may have one.

    One without may be too new to be seen, or forgotten while its output is still there.

    Raises:
        DayflyError: The provider could not be asked.
    """
    size = engine.description.statuses_per_call
    seen = []
    for begin in range(0, len(jobs), size):
        batch = jobs[begin : begin + size]
        statuses = await engine.looks.many([handle for _, handle in batch])
        for job, status in zip(batch, statuses, strict=True):
            if isinstance(status, DayflyError) or status.state is not JobState.UNKNOWN:
                seen.append(job)
    return seen


def may_be_hidden(engine: Engine, entry: JournalEntry) -> bool:
    """It may have been launched so late that it cannot be seen yet, or have been forgotten."""
    grace = engine.description.visibility_grace_seconds
    remembers = engine.description.remembers_seconds
    age = (datetime.now(UTC) - entry.created).total_seconds()
    new = grace > 0 and age < engine.timing.launch_deadline + grace
    return new or 0 < remembers <= age
