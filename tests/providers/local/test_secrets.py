"""A secret's value is in the job's environment and nowhere else."""

from __future__ import annotations

import secrets

import psutil
import pytest
from tests.providers.local.conftest import sh

from dayfly.contract.errors import DayflyError
from dayfly.contract.jobs import Reason


@pytest.fixture
def canary(monkeypatch):
    canary = f"canary-{secrets.token_hex(12)}"
    monkeypatch.setenv("DAYFLY_TEST_CANARY", canary)
    return canary


async def test_a_secret_is_on_no_disk_and_in_no_argv(desk, canary):
    spec = sh('echo "${#PASSWORD}"; sleep 60', secrets={"PASSWORD": "env:DAYFLY_TEST_CANARY"})
    handle = await desk.start(spec)
    await desk.printed(handle, b"%d\n" % len(canary))
    lines = [process.info["cmdline"] for process in psutil.process_iter(["cmdline"])]
    assert any("supervisor" in word for line in lines for word in line or ())
    assert not [line for line in lines if canary in " ".join(line or ())]
    files = [path for path in desk.state.rglob("*") if path.is_file()]
    assert len(files) >= 5
    assert not [path for path in files if canary.encode() in path.read_bytes()]
    assert canary not in repr(handle)


async def test_plain_environment_is_not_on_disk_either(desk):
    handle = await desk.start(sh("true", env={"PLAIN": "plain-value-of-a-variable"}))
    await desk.end(handle)
    files = [path for path in desk.state.rglob("*") if path.is_file()]
    assert not [path for path in files if b"plain-value" in path.read_bytes()]


async def test_a_missing_secret_stops_the_launch(desk):
    with pytest.raises(DayflyError) as raised:
        await desk.submit(sh("true", secrets={"PASSWORD": "env:DAYFLY_NOT_THERE"}), "k")
    assert raised.value.reason is Reason.SECRET_UNAVAILABLE
    assert not desk.state.exists()


async def test_a_key_whose_job_runs_is_adopted_without_its_secrets(desk, canary, monkeypatch):
    spec = sh("sleep 60", secrets={"PASSWORD": "env:DAYFLY_TEST_CANARY"})
    await desk.start(spec, "k")
    monkeypatch.delenv("DAYFLY_TEST_CANARY")
    assert (await desk.submit(spec, "k")).adopted
