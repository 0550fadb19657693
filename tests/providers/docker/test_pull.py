"""A pull's progress and its failures, from an engine that says what a script says."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.errors import DayflyError, Unavailable
from dayfly.contract.jobs import JobSpec, Progress, Reason, Submission
from dayfly.providers.docker.config import Config
from dayfly.providers.docker.runner import Submitter
from dayfly.providers.docker.session import Session

if TYPE_CHECKING:
    from pathlib import Path

NO_IMAGE = (404, {"message": "No such image: example/app:1"})


class Script:
    """A unix-socket HTTP server: for each path, the answers to give in turn."""

    def __init__(self, answers: dict[str, list[tuple[int, Any]]]) -> None:
        self.answers = answers
        self.requests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1])
            for line in head.splitlines()
            if line.lower().startswith("content-length")
        )
        await reader.readexactly(length)
        method, target, _ = head.split(" ", 2)
        self.requests.append(f"{method} {target}")
        status, body = self.answers[f"{method} {target.partition('?')[0]}"].pop(0)
        lines = body if isinstance(body, tuple) else (body,)
        data = b"".join(json.dumps(line).encode() + b"\r\n" for line in lines)
        writer.write(
            f"HTTP/1.1 {status} X\r\nApi-Version: 1.41\r\nConnection: close\r\n\r\n".encode() + data
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def submit(path: Path, script: Script, **config: Any) -> list[Progress]:
    server = await asyncio.start_unix_server(script.serve, path)
    session, reports = Session(), list[Progress]()
    await session.configure(Config(host=f"unix://{path}", **config), NoSecrets())
    spec = JobSpec(image="example/app:1", command=("true",))
    try:
        await Submitter(session).submit(Submission(spec=spec, key="k"), reports.append)
    finally:
        await session.close()
        server.close()
        await server.wait_closed()
    return reports


class NoSecrets:
    forms = ()

    async def resolve(self, references: Any) -> dict[str, str]:
        return dict(references)


def starts(*, pull: tuple[int, Any]) -> Script:
    made = {"Id": "a" * 64}
    row = {"Id": "a" * 64, "Names": ["/x"], "State": "created", "Created": 1, "Labels": {}}
    return Script(
        {
            "GET /containers/json": [(200, []), (200, [row])],
            "POST /containers/create": [NO_IMAGE, (201, made)],
            "POST /images/create": [pull],
            "POST /containers/dayfly-8254c329a92850f6d539/start": [(204, {})],
        }
    )


async def test_progress_is_bytes_and_layers(tmp_path: Path) -> None:
    def layer(name: str, status: str, current: int = 0, total: int = 0) -> dict[str, Any]:
        detail = {"current": current, "total": total} if total else {}
        return {"status": status, "id": name, "progressDetail": detail}

    lines = [
        {"status": "Pulling from example/app", "id": "1"},
        layer("one", "Already exists"),
        layer("two", "Pulling fs layer"),
        layer("two", "Downloading", 40, 100),
        layer("two", "Downloading", 100, 100),
        layer("two", "Extracting", 5, 100),
        layer("two", "Pull complete"),
        {"status": "Status: Downloaded newer image for example/app:1"},
    ]
    script = starts(pull=(200, tuple(lines)))
    reports = await submit(tmp_path / "s", script)
    assert {r.phase for r in reports} == {"pulling"}
    assert [(r.done, r.total) for r in reports[2:]] == [(40, 100), (100, 100), (100, 100)]
    assert reports[-1].detail == "example/app:1: 2 of 2 layers"
    assert "POST /images/create?fromImage=example%2Fapp&tag=1" in script.requests
    assert script.requests[-1].endswith("/start")


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("pull access denied for x, repository does not exist", "docker login"),
        ("manifest for x not found: manifest unknown", "name and the tag"),
        ("dial tcp: lookup registry-1.docker.io: no such host", "cannot reach the registry"),
        ("net/http: TLS handshake timeout", "cannot reach the registry"),
        ("no matching manifest for linux/arm64 in the manifest list", "not made for"),
        ("toomanyrequests: You have reached your pull rate limit", "docker login"),
        ("disk quota exceeded", ""),
    ],
)
@pytest.mark.parametrize("late", [False, True])
async def test_a_failed_pull_says_why(tmp_path: Path, words: str, advice: str, late: bool) -> None:
    failure = {"errorDetail": {"message": words}, "error": words}
    pull = (200, ({"status": "x"}, failure)) if late else (500, {"message": words})
    script = starts(pull=pull)
    with pytest.raises(DayflyError) as caught:
        await submit(tmp_path / "s", script)
    assert caught.value.reason is Reason.IMAGE_UNAVAILABLE
    assert words in caught.value.message
    assert advice in caught.value.advice
    assert not any(request.endswith("/start") for request in script.requests)


async def test_an_engine_too_old_is_refused(tmp_path: Path) -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 2\r\n\r\n[]")
        await writer.drain()
        writer.close()

    script = Script({})
    script.serve = old  # type: ignore[method-assign]
    with pytest.raises(DayflyError, match=r"1\.40"):
        await submit(tmp_path / "s", script)


async def test_an_engine_that_hangs_up_is_unavailable(tmp_path: Path) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    script = Script({})
    script.serve = rude  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await submit(tmp_path / "s", script)
