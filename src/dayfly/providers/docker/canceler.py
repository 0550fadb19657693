"""Stopping a container, with a mark that any machine can see: its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.errors import Conflict, FailedPrecondition, NotFound
from dayfly.providers.docker import containers
from dayfly.providers.docker.states import (
    ALIVE,
    CANCELLED_SUFFIX,
    is_cancelled,
    status_from_inspect,
)

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.docker.session import Session


class Canceler:
    """Stops containers (``IaCProviderJobCanceler``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def cancel_job(self, handle: JobHandle) -> None:
        """Mark, then stop: TERM, the grace, KILL. What has ended is left as it is.

        Raises:
            NotFound: There is no such container.
            FailedPrecondition: Dayfly did not make it.
        """
        engine = self._session.engine
        container = await engine.inspect(handle.id)
        if container is None:
            raise NotFound(f"the engine has no container {handle.id[:12]}", field="handle.id")
        refuse_stranger(container)
        if status_from_inspect(handle, container).final:
            return
        name = str(container["Name"]).removeprefix("/")
        if not is_cancelled(name) and not await self._mark(handle, name):
            return
        timeout = container["Config"].get("StopTimeout")
        await engine.stop(
            handle.id, containers.DEFAULT_GRACE_SECONDS if timeout is None else timeout
        )

    async def _mark(self, handle: JobHandle, name: str) -> bool:
        """Put the mark on; False where the job ended by itself before it was there."""
        engine = self._session.engine
        # By name, not by id: a launch that just took it over under another name wins.
        marked = await engine.rename(name, name + CANCELLED_SUFFIX)
        now = await engine.inspect(handle.id)
        if now is None:
            return False
        if not marked:
            if is_cancelled(str(now["Name"])):
                return True
            raise Conflict(f"the container {name} was renamed meanwhile")
        if now["State"]["Status"] in ALIVE or now["State"]["Status"] == "created":
            return True
        await engine.rename(handle.id, name)
        return False


def refuse_stranger(container: dict[str, object]) -> None:
    """Leave alone what is not ours, whatever a handle says.

    Raises:
        FailedPrecondition: Dayfly did not make the container.
    """
    config = container.get("Config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    if not labels or containers.KEY not in labels:
        raise FailedPrecondition(
            f"the container {str(container.get('Id', ''))[:12]} was not made by dayfly, "
            "and is left alone",
            field="handle.id",
        )
