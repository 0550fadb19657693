"""Stopping a job: its invocation where there is one, else its deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.errors import Conflict, FailedPrecondition, InvalidField, NotFound
from dayfly.contract.jobs import Reason
from dayfly.providers.digitalocean.verdicts import ENDED

if TYPE_CHECKING:
    from dayfly.contract.errors import DayflyError
    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.digitalocean.session import Session

#: What a request to stop something that has ended, or that cannot be stopped, may come to.
_REFUSALS = (InvalidField, FailedPrecondition, Conflict, NotFound)


class Canceler:
    """Stops jobs (``IaCProviderJobCanceler``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def cancel_job(self, handle: JobHandle) -> None:
        """Ask for the stop. What has ended is left as it is.

        Raises:
            NotFound: There is no such app.
            Conflict: DigitalOcean shows nothing of the job yet that could be stopped.
        """
        session = self._session
        seen = await session.witnesses.see(handle)
        place = seen.place
        if seen.status.reason is Reason.LOST:
            raise NotFound(seen.status.message, field="handle.id")
        if seen.ended:
            return
        refused: DayflyError = Conflict(f"DigitalOcean shows no deployment of {place.name} yet")
        if seen.invocation:
            try:
                await session.apps.cancel_invocation(place.app, seen.invocation, place.component)
            except _REFUSALS as error:
                # Some invocations cannot be cancelled themselves [?]; their deployment can.
                refused = error
            else:
                return
        if place.deployment and seen.phase not in ENDED:
            try:
                await session.apps.cancel_deployment(place.app, place.deployment)
            except _REFUSALS as error:
                refused = error
            else:
                return
        # It may have ended meanwhile, which is no failure.
        if not (await session.witnesses.see(handle)).ended:
            raise refused
