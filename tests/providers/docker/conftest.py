"""A session on the real engine, and jobs that are gone after each test."""

from __future__ import annotations

import os
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.jobs import JobSpec, LogQuery, Stream, Submission
from dayfly.providers.docker.canceler import Canceler
from dayfly.providers.docker.config import Config
from dayfly.providers.docker.inventory import Inventory
from dayfly.providers.docker.observer import Observer
from dayfly.providers.docker.runner import Submitter
from dayfly.providers.docker.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from dayfly.contract.jobs import JobHandle, JobStatus, LogBatch, Progress

IMAGE = "dayfly-test:latest"
#: Of this test process alone: others use the engine at the same time.
ROOM = f"docker-room-{os.getpid()}"


class Secrets:
    """Resolves from a dictionary."""

    forms = ("test:NAME",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        return {name: self.values[reference] for name, reference in references.items()}


class Room:
    """All capabilities of one provider, and shorthands for tests."""

    def __init__(self) -> None:
        self.session = Session()
        self.submitter = Submitter(self.session)
        self.observer = Observer(self.session)
        self.canceler = Canceler(self.session)
        self.inventory = Inventory(self.session, self.observer)
        self.progress: list[Progress] = []

    async def run(
        self, *command: str, key: str = "", follow: bool = False, **fields: Any
    ) -> JobHandle:
        spec = JobSpec(
            image=fields.pop("image", IMAGE),
            name=fields.pop("name", ROOM),
            command=command,
            **fields,
        )
        return (await self.submit(spec, key=key, follow=follow)).handle

    async def submit(self, spec: JobSpec, *, key: str = "", follow: bool = False) -> Any:
        submission = Submission(spec=spec, key=key or uuid.uuid4().hex, follow=follow)
        return await self.submitter.submit(submission, self.progress.append)

    async def status(self, handle: JobHandle) -> JobStatus:
        return (await self.observer.statuses([handle]))[0]

    async def ended(self, handle: JobHandle) -> JobStatus:
        await self.session.engine.wait(handle.id)
        return await self.status(handle)

    async def read(self, handle: JobHandle, **query: Any) -> list[LogBatch]:
        return [batch async for batch in self.observer.logs(handle, LogQuery(**query))]

    async def output(self, handle: JobHandle, **query: Any) -> tuple[bytes, bytes]:
        return join(await self.read(handle, **query))


def join(batches: list[LogBatch]) -> tuple[bytes, bytes]:
    out = b"".join(b.data for b in batches if b.stream is Stream.STDOUT)
    return out, b"".join(b.data for b in batches if b.stream is Stream.STDERR)


@pytest.fixture(scope="session")
def engine_url() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


@pytest.fixture
def marker() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def make_room(engine_url: str) -> AsyncIterator[Any]:
    rooms: list[Room] = []

    async def make(secrets: Mapping[str, str] | None = None, **config: Any) -> Room:
        room = Room()
        await room.session.configure(
            Config(**({"host": engine_url} | config)), Secrets(secrets or {})
        )
        rooms.append(room)
        return room

    yield make
    for room in rooms:
        await room.session.close()


@pytest.fixture
def own_containers() -> Iterator[set[str]]:
    """Containers that were there before stay; what a test made goes."""
    before = _containers()
    yield before
    if left := _containers() - before:
        subprocess.run(["docker", "rm", "-f", "-v", *left], check=False, capture_output=True)


def _containers() -> set[str]:
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--no-trunc", "--filter", f"label=dayfly.name={ROOM}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(listed.stdout.split())


@pytest.fixture
async def room(make_room: Any, own_containers: set[str]) -> Room:
    made: Room = await make_room()
    return made
