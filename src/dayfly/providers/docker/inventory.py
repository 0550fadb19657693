"""What dayfly has on the engine, and its removal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.jobs import JobState
from dayfly.contract.provider import Leftover, ListedJob
from dayfly.providers.docker import containers
from dayfly.providers.docker.canceler import refuse_stranger
from dayfly.providers.docker.states import status_from_inspect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.providers.docker.observer import Observer
    from dayfly.providers.docker.session import Session

#: A launch starts its container within moments; after this it was interrupted.
_STUCK_AFTER: Final = timedelta(minutes=5)


class Inventory:
    """Lists and removes own containers (``dayfly.v1.Inventory``)."""

    def __init__(self, session: Session, observer: Observer) -> None:
        self._session = session
        self._observer = observer

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Every container with dayfly's label."""
        from dayfly.providers.docker.launch import handle_of  # noqa: PLC0415 - after the handshake

        rows = await self._session.engine.list_labelled(containers.KEY)
        by_id = {str(row["Id"]): row for row in rows}
        handles = [handle_of(row) for row in rows]
        statuses = await self._observer.from_rows(handles, by_id)
        return [_listed(s, by_id[s.handle.id].get("Labels") or {}) for s in statuses]

    async def delete(self, handle: JobHandle) -> None:
        """Remove a container that has ended, with its anonymous volumes and its output.

        Raises:
            FailedPrecondition: It has not ended, or dayfly did not make it.
        """
        engine = self._session.engine
        await self._session.attached.drop(handle.id)
        container = await engine.inspect(handle.id)
        if container is None:
            return
        refuse_stranger(container)
        if not status_from_inspect(handle, container).final:
            raise _not_ended(handle)
        answer = await engine.remove(handle.id)
        if answer.status == 409 and "already in progress" not in answer.words:
            raise _not_ended(handle)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove own containers that ended at least so long ago, or say which would go."""
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        left = []
        for job in await self.list_jobs():
            status = job.status
            since = status.ended or status.created
            if not status.final or (since is not None and since > before):
                continue
            if not dry_run:
                await self.delete(status.handle)
            detail = f"{status.state.name.lower()} {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""
            left.append(Leftover(kind="container", name=status.handle.name, detail=detail))
        return left


def _listed(status: JobStatus, labels: dict[str, str]) -> ListedJob:
    stuck = (
        status.state is JobState.PENDING
        and status.created is not None
        and datetime.now(UTC) - status.created > _STUCK_AFTER
    )
    return ListedJob(
        status=status,
        key=labels.get(containers.FULL_KEY, ""),
        labels={k: v for k, v in labels.items() if not k.startswith(containers.OWN)},
        warning="created and never started: its launch was interrupted" if stuck else "",
    )


def _not_ended(handle: JobHandle) -> FailedPrecondition:
    return FailedPrecondition(
        f"the container {handle.name or handle.id[:12]} has not ended",
        field="handle",
        advice="Cancel the job first.",
    )
