"""The provider in this process, over TLS against the emulator, whose jobs need no container."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws.script import emulate
from tests.emulators.digitalocean.emulator import Emulator
from tests.emulators.digitalocean.knobs import Knobs

from dayfly.contract.errors import NotFound, Transient
from dayfly.contract.jobs import JobHandle, JobSpec, JobTarget, LogQuery, Submission, TargetMode
from dayfly.providers.digitalocean.canceler import Canceler
from dayfly.providers.digitalocean.config import read_config
from dayfly.providers.digitalocean.inventory import Inventory
from dayfly.providers.digitalocean.observer import Observer
from dayfly.providers.digitalocean.runner import Submitter
from dayfly.providers.digitalocean.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from dayfly.contract.jobs import JobStatus, Progress, Submitted

TOKEN = "dop_v1_canary-of-the-provider-tests"
BOUND_SECONDS = 15.0
SHOP = {
    "name": "shop",
    "region": "fra",
    "services": [
        {
            "name": "web",
            "image": {"registry_type": "DOCKER_HUB", "repository": "nginx", "tag": "1"},
            "run_command": "serve",
        }
    ],
    "jobs": [
        {
            "name": "migrate",
            "kind": "PRE_DEPLOY",
            "image": {"registry_type": "DOCKER_HUB", "repository": "busybox", "tag": "1"},
            "run_command": """emulate '{"lines":["migrated"],"run_seconds":0.1}'""",
        }
    ],
}


class Room:
    """All capabilities of one provider, and shorthands for tests."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = Session()
        self.submitter = Submitter(self.session)
        self.observer = Observer(self.session)
        self.canceler = Canceler(self.session)
        self.inventory = Inventory(self.session, self.observer)
        self.progress: list[Progress] = []

    async def configure(self, **settings: Any) -> None:
        document = {
            "endpoint_url": self.emulator.url,
            "ca_file": self.emulator.ca_file,
            "tags": "allow",
            "log_drain_seconds": 0,
            **settings,
        }
        await self.session.configure(read_config(document))

    def spec(self, mode: TargetMode = TargetMode.OWNED, **behaviour: Any) -> JobSpec:
        if mode is TargetMode.OWNED:
            return JobSpec(name="job", image="busybox:1.36", command=tuple(emulate(**behaviour)))
        target = JobTarget(mode=mode, name="shop", allow_redeploy=True)
        if mode is TargetMode.ATTACHED_RUN:
            return JobSpec(name="job", target=target)
        command = tuple(emulate(**behaviour))
        return JobSpec(name="job", image="busybox:1.36", command=command, target=target)

    async def submit(self, spec: JobSpec, key: str = "") -> Submitted:
        submission = Submission(spec=spec, key=key or uuid.uuid4().hex)
        return await self.submitter.submit(submission, self.progress.append)

    async def run(self, key: str = "", **behaviour: Any) -> JobHandle:
        return (await self.submit(self.spec(**behaviour), key)).handle

    async def status(self, handle: JobHandle) -> JobStatus:
        [status] = await self.observer.statuses([handle])
        return status

    async def until(self, handle: JobHandle, seen: Callable[[JobStatus], bool]) -> JobStatus:
        async with asyncio.timeout(BOUND_SECONDS):
            while True:
                if seen(status := await self.status(handle)):
                    return status
                await asyncio.sleep(0.03)

    async def ended(self, handle: JobHandle) -> JobStatus:
        return await self.until(handle, lambda status: status.final)

    async def output(self, handle: JobHandle, **query: Any) -> bytes:
        """To its end, as one who follows reads it: each page from the last cursor, each once."""
        read, asked = b"", LogQuery(follow=True, **query)
        async with asyncio.timeout(BOUND_SECONDS):
            while True:
                try:
                    # The watch looks meanwhile; without it, a look may be old for who reads.
                    await self.status(handle)
                    async with aclosing(self.observer.logs(handle, asked)) as batches:
                        async for batch in batches:
                            read += batch.data
                            asked = LogQuery(follow=True, cursor=batch.cursor)
                            if batch.end:
                                return read
                except (Transient, NotFound):
                    pass  # A new app may not be there yet: whoever follows has patience.
                await asyncio.sleep(0.03)

    async def settled(self, app: str) -> None:
        """No deployment of an app is under way."""
        async with asyncio.timeout(BOUND_SECONDS):
            while True:
                now = await self.session.apps.get(app) or {}
                if not now.get("pending_deployment") and not now.get("in_progress_deployment"):
                    return
                await asyncio.sleep(0.03)

    async def shop(self) -> str:
        """Somebody's app, deployed; its id."""
        app = await self.session.apps.create({"spec": SHOP})
        await self.settled(app["id"])
        return str(app["id"])


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Opens a room on an emulator with these knobs; what was sent fits the definition."""
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", TOKEN)

    @asynccontextmanager
    async def open_room(
        settings: dict[str, Any] | None = None, **knobs: Any
    ) -> AsyncGenerator[Room, None]:
        async with Emulator(Knobs().changed(knobs)) as emulator:
            room = Room(emulator)
            await room.configure(**(settings or {}))
            try:
                yield room
            finally:
                await room.session.close()
            assert emulator.violations == []

    return open_room
