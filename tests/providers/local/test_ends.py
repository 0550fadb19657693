"""How a job ended is what the kernel said, or that nobody knows."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime

import pytest
from tests.providers.local.conftest import gone, sh

from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.jobs import ExitCodeSource, JobHandle, JobState, Reason, Resources


@pytest.mark.parametrize("code", [1, 42, 125, 137, 255])
async def test_an_exit_code_is_exact(desk, code):
    status = await desk.finish(sh(f"exit {code}"))
    assert (status.state, status.reason) == (JobState.FAILED, Reason.EXITED_NONZERO)
    assert (status.exit_code, status.signal) == (code, None)
    assert status.exit_code_source is ExitCodeSource.REPORTED


async def test_success_and_times(desk):
    before = datetime.now(UTC)
    status = await desk.finish(sh("sleep 0.3"))
    assert (status.state, status.exit_code) == (JobState.SUCCEEDED, 0)
    assert before <= status.created <= status.started <= status.ended <= datetime.now(UTC)
    assert (status.ended - status.started).total_seconds() >= 0.3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
async def test_a_signal_is_told_as_one(desk, number):
    status = await desk.finish(sh(f"kill -{int(number)} $$"))
    assert (status.state, status.reason) == (JobState.FAILED, Reason.EXITED_NONZERO)
    assert (status.exit_code, status.signal) == (128 + number, number)
    assert number.name in status.message


async def test_what_the_command_leaves_running_ends_with_it(desk):
    handle = await desk.start(sh("setsid sleep 300 & echo $!; sleep 0.2; exit 3"))
    assert (await desk.end(handle)).exit_code == 3
    out, _ = await desk.output(handle)
    await gone(int(out))


async def test_a_timeout_is_kept_with_nobody_watching(desk):
    status = await desk.finish(sh("sleep 60", timeout_seconds=1))
    assert (status.state, status.reason) == (JobState.FAILED, Reason.TIMED_OUT)
    assert (status.ended - status.started).total_seconds() < 8


async def test_cpu_time_is_counted_over_all_processes(desk):
    spin = "while :; do :; done"
    spec = sh(f"{spin} & {spin}", resources=Resources(cpu_time_seconds=1), grace_period_seconds=0)
    status = await desk.finish(spec)
    assert (status.state, status.reason) == (JobState.FAILED, Reason.TIMED_OUT)
    assert "CPU" in status.message


async def test_memory_is_counted_and_the_job_stopped(desk):
    eater = "s=xxxxxxxxxxxxxxxx; while :; do s=$s$s; done"
    status = await desk.finish(sh(eater, resources=Resources(memory_mib=24)))
    assert (status.state, status.reason) == (JobState.FAILED, Reason.OUT_OF_MEMORY)


async def test_a_job_within_its_limits_is_left_alone(desk):
    limits = Resources(memory_mib=256, cpu_time_seconds=30)
    status = await desk.finish(sh("exit 7", resources=limits, timeout_seconds=30))
    assert (status.reason, status.exit_code) == (Reason.EXITED_NONZERO, 7)


async def test_a_killed_supervisor_loses_the_job_and_takes_it_along(desk):
    handle = await desk.start(sh("setsid sleep 300 & echo $!; sleep 300"))
    await desk.printed(handle, b"\n")
    out, _ = await desk.output(handle)
    supervisor = json.loads((desk.directory(handle) / "started.json").read_text())["pid"]
    os.kill(supervisor, signal.SIGKILL)
    status = await desk.end(handle)
    assert (status.state, status.reason) == (JobState.UNKNOWN, Reason.LOST)
    assert (status.exit_code, status.ended) == (None, None)
    await gone(int(out))
    assert (await desk.batches(handle))[-1].end
    await desk.local.cancel_job(handle)
    await desk.local.delete(handle)


async def test_a_job_that_nobody_knows_is_unknown(desk):
    handle = await desk.start(sh("exit 4"))
    await desk.end(handle)
    strangers = [JobHandle(id=i) for i in ("no-such-job", "../../etc", "a" * 20, "é\n")]
    statuses = await desk.local.statuses([strangers[0], handle, *strangers[1:]])
    assert [s.exit_code for s in statuses] == [None, 4, None, None, None]
    assert [s.state for s in statuses].count(JobState.UNKNOWN) == 4


async def test_a_job_of_another_machine_is_told_by_its_name(desk):
    handle = await desk.start(sh("true"))
    foreign = JobHandle(id=handle.id, metadata={**handle.metadata, "host": "elsewhere.example"})
    for ask in (
        desk.local.statuses([foreign]),
        desk.local.cancel_job(foreign),
        desk.local.delete(foreign),
        desk.batches(foreign),
    ):
        with pytest.raises(FailedPrecondition, match="elsewhere"):
            await ask
