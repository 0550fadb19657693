"""One key is one container, whoever launches it and however often."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from tests.providers.docker.conftest import ROOM

from dayfly.contract.errors import AlreadyExists, DayflyError, InvalidField
from dayfly.contract.jobs import JobSpec, JobState, Reason, Resources, Submission
from dayfly.providers.docker import containers
from dayfly.providers.docker.launch import launch

pytestmark = pytest.mark.docker
IMAGE = "dayfly-test:latest"


def spec(*command: str, **fields: Any) -> JobSpec:
    return JobSpec(**({"image": IMAGE, "name": ROOM, "command": command} | fields))


async def of_key(room: Any, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await room.session.engine.list_labelled(containers.key_label(key))
    return rows


@pytest.mark.parametrize("code", [0, 1, 42, 137])
async def test_exit_codes_are_the_engines(room: Any, code: int) -> None:
    status = await room.ended(await room.run("sh", "-c", f"exit {code}"))
    assert status.exit_code == code
    assert status.state is (JobState.FAILED if code else JobState.SUCCEEDED)
    assert status.started <= status.ended


async def test_argv_and_environment_arrive_as_they_are(room: Any) -> None:
    words = ["a b", "'", '"', "$HOME", "two\nlines", "\u00fc\U0001f41d", "", "*", "\\", "-n"]
    script = 'printf "[%s]" "$@"; printf "[%s]" "$E"'
    handle = await room.run("sh", "-c", script, "sh", *words, env={"E": "x=$y z\n"}, follow=True)
    out, _ = await room.output(handle, follow=True)
    assert out.decode() == "".join(f"[{word}]" for word in [*words, "x=$y z\n"])


async def test_a_line_runs_through_the_shell(room: Any) -> None:
    handle = await room.run(run_command="echo $((1+1)) | cat")
    await room.ended(handle)
    assert await room.output(handle) == (b"2\n", b"")


async def test_three_submits_of_a_key_are_one_container(room: Any, marker: str) -> None:
    answers = [await room.submit(spec("true"), key=marker) for _ in range(3)]
    assert [a.adopted for a in answers] == [False, True, True]
    assert len({a.handle.id for a in answers}) == 1
    assert len(await of_key(room, marker)) == 1


async def test_a_race_of_two_processes_starts_one(make_room: Any, room: Any, marker: str) -> None:
    other = await make_room()
    answers = await asyncio.gather(
        *(r.submit(spec("echo", "once"), key=marker) for r in (room, other) * 4),
        return_exceptions=True,
    )
    # A launch that lost every round says so with a transient error, and jobs tries again.
    handles = {a.handle.id for a in answers if not isinstance(a, BaseException)}
    assert all(isinstance(a, DayflyError) for a in answers if isinstance(a, BaseException))
    assert len(handles) == 1
    (row,) = await of_key(room, marker)
    handle = (await room.submitter.find(marker)) or pytest.fail("not found")
    assert handle.id == row["Id"]
    await room.ended(handle)
    assert await room.output(handle) == (b"once\n", b"")


async def test_a_created_container_is_started_by_the_next_launch(room: Any, marker: str) -> None:
    submission = Submission(spec=spec("echo", "later"), key=marker, follow=True)
    body = containers.create_body(submission, {})
    name = containers.container_name(submission)
    await room.session.engine.create(name, body, "")
    submitted = await launch(room.session, submission, room.progress.append)
    assert submitted.adopted
    assert await room.output(submitted.handle, follow=True) == (b"later\n", b"")


async def test_a_key_with_another_job_is_refused(room: Any, marker: str) -> None:
    await room.submit(spec("true"), key=marker)
    with pytest.raises(AlreadyExists) as caught:
        await room.submit(spec("false"), key=marker)
    assert caught.value.field == "key"
    assert len(await of_key(room, marker)) == 1


async def test_limits_user_directory_and_labels_hold(room: Any) -> None:
    handle = await room.run(
        *("sh", "-c", "pwd; id -u; id -g"),
        resources=Resources(cpus=0.5, memory_mib=64),
        working_dir="/tmp/made",
        user="0:34",
        network="none",
        labels={"team": "blue"},
        grace_period_seconds=3,
        platform="linux/amd64",
        entrypoint=(),
    )
    await room.ended(handle)
    assert await room.output(handle) == (b"/tmp/made\n0\n34\n", b"")
    container = await room.session.engine.inspect(handle.id)
    host = container["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (5 * 10**8, 2**26, 2**26)
    assert host["NetworkMode"] == "none"
    assert container["Config"]["StopTimeout"] == 3
    (listed,) = [j for j in await room.inventory.list_jobs() if j.status.handle.id == handle.id]
    assert listed.labels == {"team": "blue"}


async def test_memory_beyond_the_limit_is_out_of_memory(room: Any) -> None:
    # tail keeps a line without an end in memory.
    handle = await room.run("sh", "-c", "cat /dev/zero | tail", resources=Resources(memory_mib=32))
    status = await room.ended(handle)
    assert status.reason is Reason.OUT_OF_MEMORY
    assert status.exit_code == 137


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"command": ("no-such-program",)}, "command[0]"),
        ({"command": ("/etc",)}, "command[0]"),
        ({"entrypoint": ("/nothing",)}, "entrypoint[0]"),
        ({"user": "nobody-at-all"}, "user"),
        ({"network": "no-such-network"}, "network"),
        ({"resources": Resources(cpus=512)}, "resources.cpus"),
        ({"image": "Not/A Name"}, "image"),
        ({"image": ""}, "image"),
        ({"labels": {"dayfly.key": "x"}}, "labels.dayfly.key"),
        ({"working_dir": "relative"}, "working_dir"),
    ],
)
async def test_a_refusal_names_the_field_and_leaves_nothing(
    room: Any, marker: str, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        await room.submit(
            spec("true", **fields) if "command" not in fields else spec(**fields), key=marker
        )
    assert caught.value.field == named
    assert await of_key(room, marker) == []


@pytest.mark.parametrize("pull", ["missing", "never"])
async def test_an_image_that_cannot_be_had_says_so(make_room: Any, marker: str, pull: str) -> None:
    room = await make_room(pull=pull)
    began = time.monotonic()
    with pytest.raises(DayflyError) as caught:
        await room.submit(spec("true", image="localhost:1/nothing:none"), key=marker)
    assert caught.value.reason is Reason.IMAGE_UNAVAILABLE
    assert caught.value.field == "image"
    assert time.monotonic() - began < 30
    assert await of_key(room, marker) == []


async def test_another_platform_is_not_this_image(room: Any, marker: str) -> None:
    with pytest.raises(DayflyError) as caught:
        await room.submit(spec("true", platform="linux/s390x"), key=marker)
    assert caught.value.reason is Reason.IMAGE_UNAVAILABLE
    assert await of_key(room, marker) == []


async def test_a_secret_is_only_in_the_container(make_room: Any, own_containers: Any) -> None:
    canary = "canary-3141592653"
    room = await make_room(secrets={"test:PW": canary})
    job = spec("sh", "-c", "test ${#PW} = 17", secrets={"PW": "test:PW"})
    plan = await room.submitter.plan(Submission(spec=job, key="k"))
    submitted = await room.submit(job)
    status = await room.ended(submitted.handle)
    assert status.exit_code == 0
    with pytest.raises(InvalidField) as caught:
        await room.submit(spec("no-such-program", secrets={"PW": "test:PW"}))
    seen = [plan, submitted, status, await room.inventory.list_jobs(), caught.value]
    assert not any(canary in str(part) for part in seen)
    assert "PW=test:PW" in plan.calls[0].request


async def test_the_plan_is_what_is_sent_and_creates_nothing(room: Any, marker: str) -> None:
    job = spec("echo", "x", user="1:1", resources=Resources(memory_mib=32))
    plan = await room.submitter.plan(Submission(spec=job, key=marker))
    request = json.loads(plan.calls[0].request)
    assert request["body"]["Cmd"] == ["echo", "x"]
    assert await of_key(room, marker) == []
    answer = await room.session.engine.create(request["query"]["name"], request["body"], "")
    assert answer.status == 201
