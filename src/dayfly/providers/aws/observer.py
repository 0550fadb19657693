"""Reading jobs, each by the runner that launched it, and their output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import NotFound
from dayfly.contract.groups import together
from dayfly.contract.jobs import JobState, JobStatus, Reason

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from dayfly.contract.jobs import JobHandle, LogBatch, LogQuery
    from dayfly.providers.aws.runners import Runner
    from dayfly.providers.aws.session import Session


class Observer:
    """Reads tasks, jobs and their output (``dayfly.v1.Observe``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One question to each runner for all of its handles, in one go."""
        places: dict[Runner, list[int]] = {}
        answers: dict[int, JobStatus] = {}
        for place, handle in enumerate(handles):
            try:
                places.setdefault(self._session.runner_of(handle), []).append(place)
            except NotFound as error:
                answers[place] = _stranger(handle, error)
        asked = await together(
            _ask(runner, [handles[place] for place in its]) for runner, its in places.items()
        )
        for its, statuses in zip(places.values(), asked, strict=True):
            answers.update(zip(its, statuses, strict=True))
        return [answers[place] for place in range(len(handles))]

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """The job's output from the cursor on: one page for who follows it, else all of it.

        Raises:
            NotFound: There is no such job, or its output is gone.
            InvalidField: The cursor is none of this provider's.
        """
        place = await self._session.runner_of(handle).log_place(handle)
        if place is None:
            return
        while True:
            page = await self._session.logs.page(place, query)
            for batch in page:
                yield batch
            if query.follow or not page:
                return
            query = replace(query, cursor=page[-1].cursor, tail_lines=None)


async def _ask(runner: Runner, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
    return await runner.statuses(handles)


def _stranger(handle: JobHandle, error: NotFound) -> JobStatus:
    return JobStatus(
        handle=handle, state=JobState.UNKNOWN, reason=Reason.LOST, message=error.message
    )
