"""What ECS and Batch each do in their own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus, Submission, Submitted
    from dayfly.contract.provider import Check, Description, JobPlan, Leftover, ListedJob
    from dayfly.providers.aws.logs.reader import LogPlace


class Runner(Protocol):
    """One way to run jobs on AWS."""

    def describe(self) -> Description:
        """What a launch here honours."""
        ...

    async def submit(self, submission: Submission) -> Submitted:
        """Launch, or adopt what the key already has."""
        ...

    async def find(self, key: str) -> JobHandle | None:
        """The key's job, or None."""
        ...

    async def plan(self, submission: Submission) -> JobPlan:
        """The requests of a launch; nothing is created."""
        ...

    async def check(self) -> Sequence[Check]:
        """What a launch depends on here, beside credentials and logs."""
        ...

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One status per handle, in their order."""
        ...

    async def log_place(self, handle: JobHandle) -> LogPlace | None:
        """Where the job's output is; None while it has none.

        Raises:
            NotFound: There is no such job.
        """
        ...

    async def cancel(self, handle: JobHandle) -> None:
        """Ask for the stop."""
        ...

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every own job that AWS still knows."""
        ...

    async def delete(self, handle: JobHandle) -> None:
        """Remove what was made for this job alone."""
        ...

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove own definitions that nothing uses, or say which would go."""
        ...

    async def close(self) -> None:
        """Ask nothing more."""
        ...
