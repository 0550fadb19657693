"""Launches, by the runner that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dayfly.contract.jobs import JobHandle, Progress, Submission, Submitted
    from dayfly.contract.provider import Check, Description, JobPlan
    from dayfly.providers.aws.session import Session


class Submitter:
    """Launches jobs on ECS or Batch (``dayfly.v1.Submit``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def describe(self) -> Description:
        """What the configured runner honours; AWS is not asked."""
        return self._session.runner.describe()

    async def check(self) -> Sequence[Check]:
        """Whom AWS sees, and whether what the configuration names is there."""
        from dayfly.providers.aws.doctor.checks import run_checks  # noqa: PLC0415 - for doctor only

        session = self._session
        return await run_checks(session.aws, session.config, session.runner)

    async def plan(self, submission: Submission) -> JobPlan:
        """The requests of a launch, with secrets as references."""
        return await self._session.runner.plan(submission)

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Launch, or adopt what the key already has."""
        # AWS says nothing between a request and its answer.
        del report
        return await self._session.runner.submit(submission)

    async def find(self, key: str) -> JobHandle | None:
        """The key's job, or None."""
        return await self._session.runner.find(key)
