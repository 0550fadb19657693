"""BatchRunner against moto's server, whose jobs are containers of the local engine."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.conformance.moto import GROUP, ROLE, Server, make_queue, moto_server

from dayfly.contract.jobs import JobSpec, JobState, Submission
from dayfly.providers.aws.batch.runner import BatchRunner
from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from dayfly.contract.jobs import JobHandle, JobStatus, Submitted

IMAGE: Final = "dayfly-test:latest"
_SECONDS: Final = 20.0


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Started for these tests."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as moto:
        yield moto


class Room:
    """A runner with a queue of its own, and shorthands for tests."""

    def __init__(self, server: Server, config: Config) -> None:
        self.server, self.config = server, config
        self.aws = Aws(config)
        self.runner = BatchRunner(self.aws, config)

    def spec(self, *command: str, **fields: Any) -> JobSpec:
        fields.setdefault("name", self.server.marker)
        return JobSpec(image=fields.pop("image", IMAGE), command=command, **fields)

    async def submit(self, spec: JobSpec, key: str = "", instead_of: str = "") -> Submitted:
        key = key or uuid.uuid4().hex
        return await self.runner.submit(Submission(spec=spec, key=key, instead_of=instead_of))

    async def run(self, script: str, key: str = "", **fields: Any) -> JobHandle:
        return (await self.submit(self.spec("sh", "-c", script, **fields), key)).handle

    async def status(self, handle: JobHandle) -> JobStatus:
        [status] = await self.runner.statuses([handle])
        return status

    async def ended(self, handle: JobHandle) -> JobStatus:
        return await self._until(handle, lambda status: status.final)

    async def running(self, handle: JobHandle) -> JobStatus:
        return await self._until(handle, lambda status: status.state is JobState.RUNNING)

    async def _until(self, handle: JobHandle, there: Callable[[JobStatus], bool]) -> JobStatus:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            if there(status := await self.status(handle)):
                return status
            await asyncio.sleep(0.1)
        pytest.fail(f"not there after {_SECONDS} s: {status}")

    async def definitions_of(self, image: str) -> list[dict[str, Any]]:
        """Active definitions with this image; other tests have theirs on the same server."""
        active = await self.runner._definitions.active()
        return [one for one in active if one.get("containerProperties", {}).get("image") == image]

    async def output(self, handle: JobHandle) -> list[str]:
        place = await self.runner.log_place(handle)
        assert place is not None
        page = await self.aws.call(
            "logs", "GetLogEvents", logGroupName=place.group, logStreamName=place.stream,
            startFromHead=True,
        )  # fmt: skip
        return [event["message"] for event in page["events"]]


@pytest.fixture
async def make_room(server: Server) -> AsyncIterator[Any]:
    """Rooms over one new queue; those of one test share it, as machines do."""
    queue = f"q{uuid.uuid4().hex[:8]}"
    base = Config(
        runner="batch", region="us-east-1", endpoint_url=server.url, queue=queue,
        execution_role=ROLE, log_group=GROUP,
    )  # fmt: skip
    rooms: list[Room] = []

    async def make(**changes: Any) -> Room:
        room = Room(server, replace(base, **changes))
        if not rooms:
            await make_queue(room.aws, queue)
        rooms.append(room)
        return room

    yield make
    for room in rooms:
        await room.aws.close()


@pytest.fixture
async def room(make_room: Any) -> Room:
    made: Room = await make_room()
    return made
