"""What an account has: apps by id, their deployments and runs, and who works on them."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.emulators.digitalocean import clock
from tests.emulators.digitalocean.deployments import Deployment
from tests.emulators.digitalocean.life import live
from tests.emulators.digitalocean.variables import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.emulators.digitalocean.knobs import Knobs
    from tests.emulators.digitalocean.runs import Run


@dataclass(slots=True, kw_only=True, eq=False)
class App:
    """An app.

    Attributes:
        spec: As it is now, with its secrets sealed.
        visible_at: From when on answers have it.
        deployments: All that it ever had, the oldest first.
    """

    id: str
    spec: dict[str, Any]
    visible_at: float
    project: str = ""
    created_at: float = field(default_factory=clock.now)
    updated_at: float = field(default_factory=clock.now)
    deployments: list[Deployment] = field(default_factory=list)
    joined: bool = False

    @property
    def name(self) -> str:
        """Unique in its account."""
        return str(self.spec["name"])

    def in_slot(self, slot: str) -> Deployment | None:
        """The deployment that the app shows there."""
        return next((one for one in reversed(self.deployments) if one.slot == slot), None)


class Account:
    """Apps, and the tasks that lead their deployments."""

    def __init__(self, knobs: Callable[[], Knobs], failures: list[str]) -> None:
        """Begin empty; mistakes of the emulator itself go to ``failures``."""
        self.id = str(uuid.uuid4())
        self.apps: dict[str, App] = {}
        self.runs: dict[str, Run] = {}
        self.vault = Vault()
        self._knobs = knobs
        self._failures = failures
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def knobs(self) -> Knobs:
        """As they are now."""
        return self._knobs()

    def deploy(self, app: App, cause: str) -> Deployment:
        """Begin a deployment; one that is under way is ended by it."""
        knobs = self.knobs
        for one in app.deployments:
            one.end_as(knobs.second_deployment_effect)
            if one.slot in {"pending_deployment", "in_progress_deployment"}:
                one.slot = ""
        made = Deployment(app=app.id, spec=app.spec, cause=cause, knobs=knobs)
        made.enter("PENDING_BUILD")
        app.deployments.append(made)
        self.start(live(self, made))
        if knobs.second_deployment is not None and not app.joined:
            app.joined = True
            self.start(self._join(app, knobs.second_deployment))
        return made

    def settle(self, deployment: Deployment) -> None:
        """An active deployment takes the place of the one before."""
        app = self.apps.get(deployment.app)
        if deployment.phase != "ACTIVE" or app is None:
            return
        for one in app.deployments:
            if one.phase == "ACTIVE" and one is not deployment:
                one.enter("SUPERSEDED")
                one.slot = ""
        deployment.slot = "active_deployment"

    async def forget(self, deployment: Deployment) -> None:
        """A deployment that failed leaves its slot, sooner or later."""
        seconds = deployment.knobs.slots_forget_seconds
        if deployment.phase in {"ACTIVE", "SUPERSEDED"} or seconds is None:
            return
        await asyncio.sleep(seconds)
        deployment.slot = ""

    def remove(self, app: App) -> None:
        """An app goes, and all that runs for it."""
        del self.apps[app.id]
        for one in app.deployments:
            one.end_as("CANCELED")
            for run in one.runs.values():
                run.stop.set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the answers."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def close(self) -> None:
        """End all of it; containers are removed."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _join(self, app: App, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if app.id in self.apps:
            self.deploy(app, "manual")

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(f"emulator: {error!r}")
