"""What dayfly has at DigitalOcean, and its removal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import DayflyError, FailedPrecondition
from dayfly.contract.jobs import Reason
from dayfly.contract.provider import Leftover, ListedJob

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.providers.digitalocean.observer import Observer
    from dayfly.providers.digitalocean.session import Session


class Inventory:
    """Lists and removes own apps, and own components in others' (``dayfly.v1.Inventory``)."""

    def __init__(self, session: Session, observer: Observer) -> None:
        self._session = session
        self._observer = observer

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every app that was made for a job, and every component left in another's app."""
        from dayfly.providers.digitalocean.variables import (  # noqa: PLC0415 - after the handshake
            key_of,
            labels_of,
        )

        rows = await self._session.apps.all()
        found: list[tuple[JobHandle, Mapping[str, Any], str]] = []
        for app in rows:
            found += await self._in_app(app)
        by_id = {str(row.get("id", "")): row for row in rows}
        statuses = await self._observer.from_rows([handle for handle, _, _ in found], by_id)
        return [
            ListedJob(status=status, key=key_of(job), labels=labels_of(job), warning=warning)
            for status, (_, job, warning) in zip(statuses, found, strict=True)
        ]

    async def delete(self, handle: JobHandle) -> None:
        """Remove the app of a job that has ended, or its component from another's app.

        Raises:
            FailedPrecondition: The job has not ended, or dayfly did not make the app.
            Conflict: Another deployment of the app is in progress.
        """
        from dayfly.providers.digitalocean.handles import Mode, place_of  # noqa: PLC0415 - as above

        session = self._session
        place = place_of(handle)
        if place.mode is Mode.RUN:
            return  # Nothing was made but a deployment, which is the app's own history.
        if place.mode is Mode.CLONE:
            from dayfly.providers.digitalocean.detach import remove  # noqa: PLC0415 - as above

            await remove(session, handle)
            return
        await self._delete_app(handle, place.app)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove what ended runs left at least so long ago, or say what would go.

        Raises:
            Conflict: An app from which a job is to be taken is being deployed.
        """
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        left = []
        for job in await self.list_jobs():
            status = job.status
            since = status.ended or status.created
            seen = await self._session.witnesses.lately(status.handle)
            if seen.ended and (since is None or since <= before):
                left.append(status)
        if not dry_run:
            await self._remove([status.handle for status in left])
        return [_leftover(status) for status in left]

    async def _remove(self, handles: Sequence[JobHandle]) -> None:
        """Apps one by one; of another's app all jobs at once, for each change deploys it."""
        from dayfly.providers.digitalocean.detach import take_out  # noqa: PLC0415 - as above
        from dayfly.providers.digitalocean.handles import Mode, place_of  # noqa: PLC0415 - as above

        others: dict[str, set[str]] = {}
        for handle in handles:
            place = place_of(handle)
            if place.mode is Mode.CLONE:
                others.setdefault(place.app, set()).add(place.component)
            else:
                await self._delete_app(handle, place.app)
        for app, components in others.items():
            await take_out(self._session, app, components)

    async def _in_app(
        self, app: Mapping[str, Any]
    ) -> list[tuple[JobHandle, Mapping[str, Any], str]]:
        from dayfly.providers.digitalocean import (  # noqa: PLC0415 - as above
            clone,
            detach,
            launch,
            own,
        )

        made = own.own_component(app)
        if made is not None:
            return [(await launch.handle_in(self._session, app), made, "")]
        return [
            (await clone.handle_in(self._session, app, job), job, detach.WARNING)
            for job in own.own_components(app)
        ]

    async def _delete_app(self, handle: JobHandle, app_id: str) -> None:
        from dayfly.providers.digitalocean.own import own_component  # noqa: PLC0415 - as above

        session = self._session
        app = await session.apps.get(app_id)
        if app is None:
            return
        if own_component(app) is None:
            raise FailedPrecondition(
                f"the app {handle.name or app_id} was not made by dayfly for a job, and is left "
                "alone",
                field="handle.id",
            )
        seen = await session.witnesses.see(handle)
        lost = seen.status.reason is Reason.LOST
        if not (seen.ended or lost):
            raise _not_ended(handle)
        await session.apps.delete(app_id)


def _leftover(status: JobStatus) -> Leftover:
    since = status.ended or status.created
    when = f" {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""
    _, _, component = status.handle.id.partition("/")
    return Leftover(
        kind="component" if component else "app",
        name="/".join(filter(None, (status.handle.name, component))),
        detail=f"{status.state.name.lower()}{when}",
    )


def _not_ended(handle: JobHandle) -> DayflyError:
    return FailedPrecondition(
        f"the job of the app {handle.name or handle.id} has not ended",
        field="handle",
        advice="Cancel the job first.",
    )
