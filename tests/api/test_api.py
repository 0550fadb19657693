"""The Python API through the local provider's real process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

import dayfly
from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state and a directory of its own."""
    monkeypatch.setenv("DAYFLY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_public_name_is_there():
    for name in dayfly.__all__:
        assert getattr(dayfly, name) is not None
    assert set(dayfly.__all__) <= set(dir(dayfly))
    with pytest.raises(AttributeError, match="nosuch"):
        dayfly.nosuch  # noqa: B018


def test_run_collects_the_output_and_the_end():
    result = dayfly.run(["sh", "-c", "echo out; echo err >&2; exit 3"], name="three")
    assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 3)
    assert result.state is dayfly.JobState.FAILED
    assert result.reason is dayfly.Reason.EXITED_NONZERO
    assert not result.ok
    assert result.name == "three"


def test_a_text_is_a_line_for_the_shell():
    assert dayfly.run("echo $((6 * 7))").stdout == b"42\n"


def test_a_secret_of_this_process_reaches_the_job(monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    result = dayfly.run('test "$TOKEN" = hunter2', secrets={"TOKEN": "env:MY_TOKEN"})
    assert result.exit_code == 0


def test_an_isolation_that_a_provider_cannot_give_is_refused_by_its_part():
    with pytest.raises(InvalidField) as refused:
        dayfly.run(["true"], isolation=dayfly.Isolation(no_network=True))
    assert refused.value.field == "isolation.no_network"


async def test_run_refuses_to_block_an_event_loop():
    with pytest.raises(FailedPrecondition, match="running event loop"):
        dayfly.run(["true"])


async def test_a_connection_runs_follows_and_waits():
    async with dayfly.connect("local") as local:
        job = await local.run(["sh", "-c", "echo one; echo two"], name="words")
        lines = [record.text async for record in job.logs()]
        status = await job.wait()
        assert lines == ["one", "two"]
        assert status.exit_code == 0
        again = local.attach(job.handle)
        assert (await again.status()).state is dayfly.JobState.SUCCEEDED
        await job.delete()


async def test_cancelling_the_caller_cancels_the_job():
    async with dayfly.connect("local") as local:
        job = await local.run(["sleep", "60"])
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await job.status()).state is dayfly.JobState.CANCELLED
        await job.delete()


async def test_a_field_that_cannot_be_honoured_is_refused():
    async with dayfly.connect("local") as local:
        with pytest.raises(InvalidField) as caught:
            await local.run(["true"], image="alpine")
        assert caught.value.field == "image"
        assert "image" not in (await local.describe()).honours


async def test_a_connection_that_is_not_entered_says_so():
    with pytest.raises(FailedPrecondition, match="not open"):
        await dayfly.connect("local").run(["true"])


def test_a_provider_that_is_not_there_is_named():
    with pytest.raises(NotFound, match="nosuch"):
        dayfly.connect("nosuch")


def test_ctrl_c_in_a_synchronous_run_stops_the_job(tmp_path):
    script = "import dayfly; dayfly.run('echo $$ > started; exec sleep 60', working_dir='.')"
    script = script.replace("working_dir='.'", f"working_dir={str(tmp_path)!r}")
    state = {**os.environ, "DAYFLY_STATE_DIR": str(tmp_path / "state")}
    caller = subprocess.Popen([sys.executable, "-c", script], env=state, stderr=subprocess.PIPE)
    started = tmp_path / "started"
    wait_until = time.monotonic() + 20
    while not (started.exists() and started.read_text()) and time.monotonic() < wait_until:
        time.sleep(0.05)
    job = int(started.read_text())
    caller.send_signal(signal.SIGINT)
    _, said = caller.communicate(timeout=20)
    assert b"KeyboardInterrupt" in said
    with pytest.raises(ProcessLookupError):
        os.kill(job, 0)
