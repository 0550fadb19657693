"""Reading jobs: one list for what is under way, two witnesses for what is not."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import NotFound
from dayfly.contract.groups import together
from dayfly.contract.jobs import ExitCodeSource, JobState, JobStatus, Reason

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from dayfly.contract.jobs import JobHandle, LogBatch, LogQuery
    from dayfly.providers.digitalocean.session import Session

_AT_ONCE: Final = 8


class Observer:
    """Reads jobs and their output (``dayfly.v1.Observe``)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._looking = asyncio.Semaphore(_AT_ONCE)

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One list for many; a look by id for what its app's slots do not show going on."""
        if len(handles) < 2:
            return [await self._look(handle) for handle in handles]
        rows = await self._session.apps.all()
        return await self.from_rows(handles, {str(row.get("id", "")): row for row in rows})

    async def from_rows(
        self, handles: Sequence[JobHandle], rows: Mapping[str, Mapping[str, Any]]
    ) -> Sequence[JobStatus]:
        """Statuses of handles, given the list of apps by id."""
        from dayfly.providers.digitalocean.handles import place_of  # noqa: PLC0415 - as below
        from dayfly.providers.digitalocean.witnesses import under_way  # noqa: PLC0415 - as below

        async def one(handle: JobHandle) -> JobStatus:
            try:
                place = place_of(handle)
            except NotFound as error:
                return _stranger(handle, error)
            going = under_way(handle, place, rows.get(place.app, {}))
            return going or await self._look(handle)

        return await together(one(handle) for handle in handles)

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """The job's output from the cursor on.

        Raises:
            NotFound: There is no such job, or its output is gone.
            InvalidField: The cursor is none of this provider's, or times are asked for.
        """
        async with aclosing(self._session.logs.read(handle, query)) as batches:
            async for batch in batches:
                yield batch

    async def _look(self, handle: JobHandle) -> JobStatus:
        try:
            async with self._looking:
                seen = await self._session.witnesses.see(handle)
        except NotFound as error:
            return _stranger(handle, error)
        if not seen.place.sentinel or not seen.status.final:
            return seen.status
        code = await self._session.logs.exit_code(handle)
        if code is None and self._may_yet_say(seen.status):
            return replace(
                seen.status,
                state=JobState.RUNNING,
                exit_code=None,
                exit_code_source=ExitCodeSource.UNKNOWN,
                reason=None,
                message="it has ended; its last line, with its exit code, is yet to come",
                ended=None,
            )
        return _reported(seen.status, code)

    def _may_yet_say(self, status: JobStatus) -> bool:
        """Its output may still arrive, and what it says would count."""
        says = status.state is JobState.SUCCEEDED or status.reason is Reason.EXITED_NONZERO
        if not says or status.ended is None:
            return False
        age = (datetime.now(UTC) - status.ended).total_seconds()
        return age < self._session.config.log_drain_seconds


def _reported(status: JobStatus, code: int | None) -> JobStatus:
    """With the exit code that the job printed itself, where it fits what DigitalOcean says."""
    if code is None or code > 255:
        return status
    fits = {
        JobState.SUCCEEDED: code == 0,
        JobState.FAILED: code != 0 and status.reason is Reason.EXITED_NONZERO,
    }
    if not fits.get(status.state, False):
        evidence = f"{status.evidence} self-reported={code}"
        return replace(status, evidence=evidence)
    return replace(
        status,
        exit_code=code,
        exit_code_source=ExitCodeSource.SELF_REPORTED,
        message=f"exited with {code}, as it says itself" if code else status.message,
    )


def _stranger(handle: JobHandle, error: NotFound) -> JobStatus:
    return JobStatus(
        handle=handle, state=JobState.UNKNOWN, reason=Reason.LOST, message=error.message
    )
