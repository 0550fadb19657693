"""Asking the witnesses. Nothing here changes anything at DigitalOcean."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.jobs import JobState, JobStatus, Reason
from dayfly.providers.digitalocean.answers import jobs_of, oldest_first
from dayfly.providers.digitalocean.handles import Mode, place_of
from dayfly.providers.digitalocean.states import status as stands
from dayfly.providers.digitalocean.verdicts import ENDED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.digitalocean.apps import Apps
    from dayfly.providers.digitalocean.handles import Place

#: How long a look may be old for whoever only reads output, in seconds.
_LATELY: Final = 5.0
_REMEMBERED: Final = 1000
_SLOTS: Final = (
    "pending_deployment",
    "in_progress_deployment",
    "active_deployment",
    "pinned_deployment",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A job as DigitalOcean has it now.

    Attributes:
        place: Where, with the deployment's id where that came to be known.
        status: What follows from the witnesses.
        invocation: Id of the invocation; empty where there is none.
        phase: The deployment's; empty where there is none.
    """

    place: Place
    status: JobStatus
    invocation: str = ""
    phase: str = ""

    @property
    def ended(self) -> bool:
        """Nothing of it runs or is going to.

        A deployment can end while DigitalOcean says that its job runs still.
        """
        going = self.status.state in {JobState.PENDING, JobState.RUNNING}
        return self.status.final or (self.phase in ENDED and not going)


class Witnesses:
    """Reads what there is of a job."""

    def __init__(self, apps: Apps) -> None:
        self._apps = apps
        self._recent: OrderedDict[str, tuple[float, Seen]] = OrderedDict()

    async def lately(self, handle: JobHandle) -> Seen:
        """As ``see``, or what was seen a moment ago: requests are few."""
        at, seen = self._recent.get(handle.id, (float("-inf"), None))
        if seen is not None and seen.status.handle == handle and _now() - at < _LATELY:
            return seen
        return await self.see(handle)

    async def see(self, handle: JobHandle) -> Seen:
        """Ask both witnesses about one job.

        Raises:
            NotFound: The handle is none of this provider's.
        """
        seen = await self._look(handle)
        self._recent[handle.id] = _now(), seen
        self._recent.move_to_end(handle.id)
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return seen

    async def _look(self, handle: JobHandle) -> Seen:
        place = place_of(handle)
        if not place.deployment:
            found = await self.deployment_of(place)
            if not found:
                return await self._absent(handle, place)
            place = replace(place, deployment=found)
        deployment, invocation = await _both(
            self._apps.deployment(place.app, place.deployment),
            self._apps.invocation(place.app, place.deployment, place.component),
        )
        if deployment is None and invocation is None:
            return await self._absent(handle, place)
        return Seen(
            place=place,
            status=stands(handle, place.component, invocation, deployment),
            invocation=str((invocation or {}).get("id", "")),
            phase=str((deployment or {}).get("phase", "")),
        )

    async def deployment_of(self, place: Place) -> str:
        """The deployment that was made for a job; empty where DigitalOcean shows none.

        Never the latest: an own app's first; of another's app the first that has the
        component, or the first after the one before.
        """
        rows = oldest_first(await self._apps.deployments(place.app))
        if place.mode is Mode.CLONE:
            rows = [row for row in rows if _has(row, place.component)]
        if place.mode is Mode.RUN:
            ids = [str(row.get("id", "")) for row in rows]
            rows = rows[ids.index(place.before) + 1 :] if place.before in ids else []
        first = rows[0] if rows else {}
        return str(first.get("id", ""))

    async def _absent(self, handle: JobHandle, place: Place) -> Seen:
        app = await self._apps.get(place.app)
        if app is None:
            status = JobStatus(
                handle=handle,
                state=JobState.UNKNOWN,
                # A new app may not be in every answer yet; the watch gives it some time.
                reason=None if place.fresh else Reason.LOST,
                message=f"DigitalOcean has no app {place.name or place.app}",
            )
        elif place.mode is Mode.CLONE and not _has(app, place.component):
            message = f"the app {place.name} has no component {place.component}"
            status = JobStatus(handle=handle, state=JobState.UNKNOWN, message=message)
        else:
            status = JobStatus(
                handle=handle,
                state=JobState.UNKNOWN,
                message=f"the app {place.name} has no deployment of this job",
            )
        return Seen(place=place, status=status)


def under_way(handle: JobHandle, place: Place, app: Mapping[str, Any]) -> JobStatus | None:
    """What an app's own slots say of an own job that has not ended; None where they do not."""
    if place.mode is not Mode.OWNED or not place.deployment:
        return None
    for slot in _SLOTS:
        deployment = app.get(slot) or {}
        if deployment.get("id") == place.deployment:
            found = stands(handle, place.component, None, deployment)
            going = found.state in {JobState.PENDING, JobState.RUNNING}
            return found if going else None
    return None


def _has(row: Mapping[str, Any], component: str) -> bool:
    return any(job.get("name") == component for job in jobs_of(row))


async def _both(
    one: Awaitable[dict[str, Any] | None], other: Awaitable[dict[str, Any] | None]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Both answers.

    A failure does not cut the other short: a connection that is given up while TLS is agreed
    on is never closed by asyncio.
    """
    answers = await asyncio.gather(one, other, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    first, second = (None if isinstance(a, BaseException) else a for a in answers)
    return first, second


def _now() -> float:
    return asyncio.get_running_loop().time()
