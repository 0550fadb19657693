"""The job that a launch gives: one that was just started, or one that its key had already."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dayfly.jobs.job import Job

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dayfly.contract.jobs import JobHandle, Submitted
    from dayfly.jobs.engine import Engine
    from dayfly.jobs.entries import JournalEntry
    from dayfly.jobs.launch import Checked


class Launched:
    """Makes the jobs of one provider's launches, and sees to it that they end as was asked."""

    def __init__(self, made: Callable[[], Awaitable[Engine]], engine: Engine) -> None:
        self._made = made
        self._engine = engine

    def new(self, checked: Checked, submitted: Submitted, *, detached: bool) -> Job:
        """The job of an answer."""
        spec = checked.spec
        job = Job(
            self._made,
            submitted.handle,
            key=checked.submission.key,
            name=spec.name,
            adopted=submitted.adopted,
            notes=submitted.notes,
            detached=detached,
            grace_seconds=spec.grace_period_seconds,
        )
        job.recall(None, removed=False)
        self._keep(job, checked, gone_by_seconds=0.0, detached=detached)
        return job

    def known(
        self, checked: Checked, entry: JournalEntry, handle: JobHandle, *, detached: bool
    ) -> Job:
        """The job that the key has, as the journal knows it. The provider is not asked."""
        spec, removed = checked.spec, entry.deleted is not None
        gone = (f"{spec.name} ended and was removed before; its output is gone",)
        job = Job(
            self._made,
            handle,
            key=entry.key,
            name=spec.name,
            adopted=True,
            notes=gone if removed else (),
            detached=detached,
            grace_seconds=spec.grace_period_seconds,
        )
        job.recall(entry.end, removed=removed)
        if entry.end is None:
            since = entry.launched or entry.created
            gone_by = (datetime.now(UTC) - since).total_seconds()
            self._keep(job, checked, gone_by_seconds=gone_by, detached=detached)
        return job

    def _keep(self, job: Job, checked: Checked, *, gone_by_seconds: float, detached: bool) -> None:
        """What is done for a job that runs."""
        engine, deadline = self._engine, checked.deadline_seconds
        if deadline is not None:
            job.limit(engine, deadline - gone_by_seconds, deadline)
        job.launch_again(engine, checked.submission)
        if not detached:
            engine.owned[job.handle.id] = job
