"""A deployment: where it stands, and what it shows of its progress."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.digitalocean import clock
from tests.emulators.digitalocean.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.emulators.digitalocean.knobs import Knobs
    from tests.emulators.digitalocean.runs import Run

ENDED: Final = frozenset({"ACTIVE", "SUPERSEDED", "ERROR", "CANCELED"})


@dataclass(slots=True, kw_only=True, eq=False)
class Deployment:
    """A deployment of an app.

    Attributes:
        app: Id of its app.
        spec: What is deployed, with its secrets sealed.
        cause: Why, in words.
        knobs: As they were when it was made.
        slot: Member of the app that shows it; empty where none does.
        phases: All phases it had, with the moments when they began.
        runs: Runs of its jobs, by component.
        services: Status of its services, by component.
        wanted: The phase that it was asked to end in; empty where it was not.
        stopping: Set with that.
        done: Set when it and all of its jobs are at their end.
    """

    app: str
    spec: Mapping[str, Any]
    cause: str
    knobs: Knobs
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: float = field(default_factory=clock.now)
    phase: str = "UNKNOWN"
    slot: str = "pending_deployment"
    phases: list[tuple[str, float]] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    wanted: str = ""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def enter(self, phase: str) -> None:
        """Go on to another phase."""
        self.phase = phase
        self.phases.append((phase, clock.now()))

    @property
    def ended(self) -> bool:
        """It changes no more, but that a later one may take its place."""
        return self.phase in ENDED

    def end_as(self, phase: str) -> None:
        """Ask for its end; one that has ended is left alone."""
        if self.ended or self.wanted:
            return
        self.wanted = phase
        self.stopping.set()
        for run in self.runs.values():
            run.stop.set()
        if not self.knobs.cancel_waits:
            self.enter(phase)

    def reached(self, phase: str) -> bool:
        """Whether it ever was there."""
        return any(one == phase for one, _ in self.phases)

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        at = self.phases[-1][1] if self.phases else self.created_at
        jobs = [{"name": job["name"]} for job in self.spec.get("jobs") or ()]
        services = [{"name": one["name"]} for one in self.spec.get("services") or ()]
        return {
            "id": self.id,
            "spec": self.spec,
            "jobs": jobs,
            "services": services,
            "cause": self.cause,
            "phase": self.phase,
            "phase_last_updated_at": clock.fine(at),
            "progress": progress(self),
            "created_at": clock.coarse(self.created_at, self.knobs),
            "updated_at": clock.coarse(at, self.knobs),
            "tier_slug": "basic",
        }
