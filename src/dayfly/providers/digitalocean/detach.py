"""Taking jobs out of others' apps again, which deploys those apps."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import FailedPrecondition
from dayfly.providers.digitalocean.answers import name_of
from dayfly.providers.digitalocean.handles import place_of
from dayfly.providers.digitalocean.own import own_components
from dayfly.providers.digitalocean.targets import refuse_busy, refuse_drift

if TYPE_CHECKING:
    from collections.abc import Collection

    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.digitalocean.session import Session

WARNING: Final = (
    "a job left in another's app: it runs again on every deployment of that app until "
    "`dayfly rm` or `dayfly prune` takes it out"
)


async def remove(session: Session, handle: JobHandle) -> None:
    """Take a job that has ended out of its app, which deploys the app again.

    Raises:
        FailedPrecondition: The job has not ended.
        Conflict: The app is being deployed, or was changed by another meanwhile.
    """
    place = place_of(handle)
    app = await session.apps.get(place.app)
    if app is None or not any(job.get("name") == place.component for job in own_components(app)):
        return
    seen = await session.witnesses.see(handle)
    deployed = bool(seen.place.deployment)
    if not seen.ended and (deployed or place.fresh):
        raise FailedPrecondition(
            f"the job {place.component} of the app {place.name} has not ended",
            field="handle",
            advice="Cancel the job first.",
        )
    await take_out(session, place.app, {place.component})


async def take_out(session: Session, app_id: str, names: Collection[str]) -> None:
    """Take own components out of an app, all in one change.

    Raises:
        Conflict: The app is being deployed, or was changed by another meanwhile.
    """
    async with session.turns.of(app_id):
        app = await session.apps.get(app_id)
        if app is None:
            return
        own = {str(job.get("name", "")) for job in own_components(app)} & set(names)
        if not own:
            return
        refuse_busy(app, name_of(app))
        spec = copy.deepcopy(app["spec"])
        spec["jobs"] = [job for job in spec["jobs"] if job.get("name") not in own]
        await refuse_drift(session.apps, app)
        await session.apps.update(app_id, spec)
