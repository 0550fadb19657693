"""The supervisor by itself: whoever started it may be gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from tests.providers.local.conftest import BOUND_SECONDS, sh

from dayfly.contract.identity import intent_digest, key_digest
from dayfly.contract.jobs import JobState, Reason
from dayfly.providers.local import launch, layout
from dayfly.providers.local.client import Client

SPEC = sh("sleep 0.2; echo done")


@pytest.fixture
def directory(desk):
    client = Client(desk.state)
    job = {"key": "k", "name": "n", "digest": intent_digest(SPEC), "labels": {}, "created": 1}
    client._make(key_digest("k"), job)
    return client.path(key_digest("k"))


def supervise(directory, document: bytes, *, deaf: bool, ahead: tuple[str, ...] = ()) -> bytes:
    """Start a supervisor as the provider does; when deaf, nobody reads its answer."""
    reader, writer = os.pipe()
    if deaf:
        os.close(reader)
    argv = [*ahead, sys.executable, "-I", "-S", str(launch._SUPERVISOR), str(directory)]
    with (directory / layout.SUPERVISOR_LOG).open("ab") as log:
        subprocess.run(argv, input=document, stdout=writer, stderr=log, check=True, env={})
    os.close(writer)
    if deaf:
        return b""
    with os.fdopen(reader, "rb") as answer:
        return answer.readline()


def document(*argv: str) -> bytes:
    limits = ("timeout_seconds", "cpu_time_seconds", "memory_bytes")
    launched = {"argv": argv, "env": dict(os.environ), "cwd": "/", "grace_seconds": 1}
    return json.dumps(launched | dict.fromkeys(limits)).encode()


def wait_for(path) -> None:
    deadline = time.monotonic() + BOUND_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


async def test_a_job_goes_on_when_nobody_hears_that_it_runs(desk, directory):
    supervise(directory, document(*SPEC.argv), deaf=True)
    wait_for(directory / layout.RESULT)
    adopted = await desk.submit(SPEC, "k")
    assert adopted.adopted
    assert (await desk.end(adopted.handle)).exit_code == 0
    assert await desk.output(adopted.handle) == (b"done\n", b"")


async def test_a_command_that_cannot_run_is_told_when_nobody_hears(desk, directory):
    supervise(directory, document("/no/such/program"), deaf=True)
    wait_for(directory / layout.RESULT)
    adopted = await desk.submit(SPEC, "k")
    status = await desk.end(adopted.handle)
    assert (status.state, status.reason) == (JobState.FAILED, Reason.NEVER_STARTED)
    assert status.exit_code is None
    assert "/no/such/program" in status.message


async def test_a_second_supervisor_leaves_the_job_to_the_first(desk, directory):
    first = supervise(directory, document(*SPEC.argv), deaf=False)
    second = supervise(directory, document(*SPEC.argv), deaf=False)
    assert [json.loads(told)["outcome"] for told in (first, second)] == ["running", "taken"]
    wait_for(directory / layout.RESULT)
    third = supervise(directory, document(*SPEC.argv), deaf=False)
    assert json.loads(third)["outcome"] == "taken"
    (listed,) = await desk.local.list_jobs()
    assert await desk.output(listed.status.handle) == (b"done\n", b"")


async def test_half_a_launch_starts_nothing(desk, directory):
    assert supervise(directory, document(*SPEC.argv)[:-10], deaf=False) == b""
    assert not (directory / layout.STARTED).exists()
    answer = await desk.submit(SPEC, "k")
    assert (await desk.end(answer.handle)).exit_code == 0


async def test_output_that_cannot_be_kept_ends_the_job_and_says_so(desk, directory):
    small_files = ("/bin/sh", "-c", 'ulimit -f 4; exec "$@"', "sh")
    endless = document("sh", "-c", "yes & sleep 300")
    supervise(directory, endless, deaf=False, ahead=small_files)
    (listed,) = await desk.local.list_jobs()
    status = await desk.end(listed.status.handle)
    assert (status.state, status.reason) == (JobState.FAILED, Reason.PROVIDER_ERROR)
    assert status.exit_code is None
    assert "too large" in status.message
    assert "Traceback" in (directory / layout.SUPERVISOR_LOG).read_text()
