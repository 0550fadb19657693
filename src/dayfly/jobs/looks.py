"""One look at many jobs: a call, its pace, and what a call that fails says of whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.errors import (
    DayflyError,
    InvalidField,
    NotFound,
    PermissionDenied,
    ProviderFailed,
    Throttled,
)
from dayfly.jobs.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.contract.provider import Description
    from dayfly.jobs.provider import Provider

#: An error that may be about one job of many, which must not hide the others. What a policy
#: denies may be the place of one alone.
_OF_ONE = (InvalidField, NotFound, PermissionDenied)


class Looks:
    """Asks one provider for statuses, at the pace that it allows."""

    def __init__(self, provider: Provider, description: Description) -> None:
        self._provider = provider
        self._pace = Pace(description.calls_per_second)

    async def one(self, handle: JobHandle) -> JobStatus:
        """A fresh look at a job.

        Raises:
            DayflyError: As the provider says.
        """
        return (await self._ask([handle]))[0]

    async def many(self, handles: Sequence[JobHandle]) -> list[JobStatus | DayflyError]:
        """For each handle its status, or why there is none.

        Raises:
            DayflyError: The call failed, which says nothing about any of them.
        """
        try:
            return list(await self._ask(handles))
        except _OF_ONE as error:
            if len(handles) == 1:
                return [error]
        half = len(handles) // 2
        return [*await self.many(handles[:half]), *await self.many(handles[half:])]

    async def _ask(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        await self._pace.turn()
        try:
            statuses = await self._provider.observer.statuses(handles)
        except Throttled as error:
            self._pace.rest(error.retry_after_seconds or 1.0)
            raise
        asked, answered = [h.id for h in handles], [status.handle.id for status in statuses]
        if asked != answered:
            # One job's end must never be taken for another's.
            raise ProviderFailed(
                f"asked {self._provider.name!r} about {len(asked)} jobs ({asked[:3]}), and its "
                f"answer is about {len(answered)} ({answered[:3]})"
            )
        return statuses
