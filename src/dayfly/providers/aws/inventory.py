"""What dayfly has at AWS, and its removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle
    from dayfly.contract.provider import Leftover, ListedJob
    from dayfly.providers.aws.session import Session


class Inventory:
    """Lists and removes what the configured runner has (``dayfly.v1.Inventory``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every own job that AWS still knows."""
        return await self._session.runner.list_jobs()

    async def delete(self, handle: JobHandle) -> None:
        """Remove what was made for the job alone; AWS itself forgets the job.

        Raises:
            FailedPrecondition: The job has not ended.
            NotFound: The handle is none of this provider's.
        """
        await self._session.runner_of(handle).delete(handle)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove what ended runs left, or say what would go."""
        return await self._session.runner.prune(
            dry_run=dry_run, older_than_seconds=older_than_seconds
        )
