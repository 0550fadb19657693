"""A job as a handle: app, deployment and component, all that any machine needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from dayfly.contract.errors import NotFound
from dayfly.contract.jobs import JobHandle
from dayfly.providers.digitalocean.answers import parse_time

VERSION: Final = "1"
#: Component of an app that was made for one job.
COMPONENT: Final = "job"

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_COMPONENT: Final = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
#: How long a new app may be missing from an answer [?].
_VISIBLE: Final = timedelta(seconds=60)


class Mode(StrEnum):
    """How a job came to be."""

    OWNED = "owned"
    CLONE = "clone"
    RUN = "run"


#: What a handle's id has after the app's, and the component, of each mode.
_IDS: Final = {
    Mode.OWNED: f"/{COMPONENT}",
    Mode.CLONE: r"(dayfly-[0-9a-f]{20})/\1",
    Mode.RUN: r"run-[0-9a-f]{20}/.*",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a handle says.

    Attributes:
        app: The app's id.
        name: The app's name.
        deployment: The deployment's id; empty where it is not known yet.
        component: The job's component.
        mode: How the job came to be.
        account: Id of the account or team; empty where it was not told.
        created: When the deployment was made; None where that is not known.
        sentinel: Stands before the exit code that the job prints itself; empty where it
            prints none.
        before: Id of the app's latest deployment before this job's; an attached run's.
        mark: What tells an attached job from others of its app: made from its key.
    """

    app: str
    name: str
    component: str
    mode: Mode
    deployment: str = ""
    account: str = ""
    created: datetime | None = None
    sentinel: str = ""
    before: str = ""
    mark: str = ""

    @property
    def fresh(self) -> bool:
        """So young that an answer may not have it yet."""
        return self.created is not None and datetime.now(UTC) - self.created < _VISIBLE

    def handle(self) -> JobHandle:
        """As a value to carry."""
        told = {
            "version": VERSION,
            "mode": str(self.mode),
            "component": self.component,
            "deployment": self.deployment,
            "account": self.account,
            "created": self.created.isoformat() if self.created else "",
            "sentinel": self.sentinel,
            "before": self.before,
        }
        # An owned app is the job; an attached one has an id before there is a deployment.
        return JobHandle(
            id=f"{self.app}/{self.mark}" if self.mark else self.app,
            name=self.name,
            provider="digitalocean",
            metadata={name: value for name, value in told.items() if value} | {"app": self.app},
        )


def place_of(handle: JobHandle) -> Place:
    """What a handle says.

    Raises:
        NotFound: It was not made by this provider, or by a later version of it.
    """
    told = handle.metadata
    app, component = told.get("app", ""), told.get("component", "")
    deployment, before = told.get("deployment", ""), told.get("before", "")
    modes = {str(mode): mode for mode in Mode}
    mark = handle.id.partition("/")[2]
    known = (
        told.get("version") == VERSION
        and _ID.fullmatch(app)
        and _COMPONENT.fullmatch(component)
        and handle.id.partition("/")[0] == app
        and all(not part or _ID.fullmatch(part) for part in (deployment, before))
        and told.get("mode") in modes
        and re.fullmatch(_IDS[modes[told["mode"]]], f"{mark}/{component}")
        and re.fullmatch(r"[\w:-]{0,64}", told.get("sentinel", ""), re.ASCII)
    )
    if not known:
        raise NotFound(
            f"the handle {handle.id!r:.200} was not made by this version of the digitalocean "
            "provider",
            field="handle.metadata",
        )
    return Place(
        app=app,
        name=handle.name,
        component=component,
        mode=modes[told["mode"]],
        deployment=deployment,
        account=told.get("account", ""),
        created=parse_time(told.get("created", "")),
        sentinel=told.get("sentinel", ""),
        before=before,
        mark=mark,
    )
