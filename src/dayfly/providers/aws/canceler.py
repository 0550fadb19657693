"""Stopping a job, by the runner that launched it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.aws.session import Session


class Canceler:
    """Stops tasks and jobs (``IaCProviderJobCanceler``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def cancel_job(self, handle: JobHandle) -> None:
        """Ask for the stop. What has ended is left as it is.

        Raises:
            NotFound: There is no such job.
        """
        await self._session.runner_of(handle).cancel(handle)
