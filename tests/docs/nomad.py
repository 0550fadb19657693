"""As much of Nomad's HTTP API as the walk needs; its tasks are processes of this machine.

Source: developer.hashicorp.com/nomad/api-docs, jobs, allocations and client.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    #: Of web.Application's handlers.
    Request = web.Request


@dataclass
class Job:
    """A registered job, and its one allocation."""

    told: dict[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "pending"
    desired: str = "run"
    task: dict[str, Any] = field(default_factory=dict)
    output: dict[str, bytes] = field(default_factory=lambda: {"stdout": b"", "stderr": b""})
    process: asyncio.subprocess.Process | None = None
    running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        [group] = self.told["TaskGroups"]
        [task] = group["Tasks"]
        argv = [task["Config"]["command"], *task["Config"]["args"]]
        self.process = process = await asyncio.create_subprocess_exec(
            *argv,
            env={"PATH": os.environ["PATH"], **task["Env"]},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.status, self.task = "running", {"StartedAt": _now()}
        await asyncio.gather(self._read("stdout"), self._read("stderr"))
        code = await process.wait()
        code = 128 - code if code < 0 else code
        self.task |= {
            "FinishedAt": _now(),
            "Events": [{"Type": "Started"}, {"Type": "Terminated", "ExitCode": code}],
        }
        self.status = "failed" if code else "complete"

    async def _read(self, kind: str) -> None:
        assert self.process
        pipe = getattr(self.process, kind)
        while data := await pipe.read(4096):
            self.output[kind] += data


class Nomad:
    """The server's state."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}

    async def register(self, request: Request) -> web.Response:
        body = await request.json()
        name = body["Job"]["ID"]
        if body["EnforceIndex"] and body["JobModifyIndex"] == 0 and name in self.jobs:
            return web.Response(
                status=500,
                text="Enforcing job modify index 0: job exists with another index: 9",
            )
        job = self.jobs[name] = Job(body["Job"])
        job.running = asyncio.create_task(job.run())
        return web.json_response({"EvalID": str(uuid.uuid4()), "JobModifyIndex": 9})

    async def read(self, request: Request) -> web.Response:
        return web.json_response(self._job(request).told)

    async def stop(self, request: Request) -> web.Response:
        job = self._job(request)
        job.desired = "stop"
        if job.process and job.process.returncode is None:
            job.process.terminate()
        return web.json_response({"EvalID": str(uuid.uuid4())})

    async def allocations(self, request: Request) -> web.Response:
        job = self.jobs.get(request.match_info["job"])
        rows = [] if job is None else [
            {
                "ID": job.id,
                "ClientStatus": job.status,
                "DesiredStatus": job.desired,
                "TaskStates": {"job": job.task},
            }
        ]  # fmt: skip
        return web.json_response(rows)

    async def logs(self, request: Request) -> web.Response:
        [job] = [one for one in self.jobs.values() if one.id == request.match_info["allocation"]]
        offset = int(request.query["offset"])
        return web.Response(body=job.output[request.query["type"]][offset:])

    def _job(self, request: Request) -> Job:
        try:
            return self.jobs[request.match_info["job"]]
        except KeyError:
            raise web.HTTPNotFound(text="job not found") from None


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Nomad, str]]:
    """A Nomad of this process, and its address."""
    nomad = Nomad()
    app = web.Application()
    app.add_routes(
        [
            web.put("/v1/jobs", nomad.register),
            web.get("/v1/job/{job}", nomad.read),
            web.delete("/v1/job/{job}", nomad.stop),
            web.get("/v1/job/{job}/allocations", nomad.allocations),
            web.get("/v1/client/fs/logs/{allocation}", nomad.logs),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield nomad, f"http://{host}:{port}"
    finally:
        for job in nomad.jobs.values():
            if job.process and job.process.returncode is None:
                job.process.kill()
            if job.running:
                with suppress(asyncio.CancelledError):
                    await job.running
        await runner.cleanup()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
