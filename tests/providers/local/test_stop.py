"""A cancel is a stop: TERM, the grace period, KILL, to everything that the job started."""

from __future__ import annotations

import asyncio

import pytest
from tests.providers.local.conftest import gone, sh

from dayfly.contract.errors import NotFound
from dayfly.contract.jobs import JobHandle, JobState, Reason


async def cancelled(desk, handle):
    await desk.local.cancel_job(handle)
    status = await desk.end(handle)
    assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
    return status


async def test_cancel_at_once(desk):
    handle = await desk.start(sh("sleep 60; echo survived"))
    status = await cancelled(desk, handle)
    assert status.signal == 15
    assert await desk.output(handle) == (b"", b"")


async def test_a_job_may_clean_up(desk):
    # The sleep is there before "ready": a shell that forks it later would not pass TERM on.
    script = "trap 'echo cleaned; exit 5' TERM; sleep 60 & echo ready; wait"
    handle = await desk.start(sh(script))
    await desk.printed(handle, b"ready")
    assert (await cancelled(desk, handle)).exit_code == 5
    out, _ = await desk.output(handle)
    assert out == b"ready\ncleaned\n"


async def test_who_ignores_it_is_killed_after_the_grace_period(desk):
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    handle = await desk.start(sh(script, grace_period_seconds=1))
    await desk.printed(handle, b"ready")
    began = asyncio.get_running_loop().time()
    status = await cancelled(desk, handle)
    assert status.signal == 9
    assert asyncio.get_running_loop().time() - began >= 0.9


async def test_no_grace_is_a_kill(desk):
    handle = await desk.start(sh("trap '' TERM; echo ready; sleep 60", grace_period_seconds=0))
    await desk.printed(handle, b"ready")
    assert (await cancelled(desk, handle)).signal == 9


async def test_grandchildren_in_sessions_of_their_own_are_stopped_too(desk):
    script = "(setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' &); sleep 60"
    handle = await desk.start(sh(script, grace_period_seconds=1))
    await desk.printed(handle, b"\n")
    await cancelled(desk, handle)
    out, _ = await desk.output(handle)
    await gone(int(out))


async def test_a_stopped_process_is_woken_to_hear_it(desk):
    handle = await desk.start(sh("echo ready; kill -STOP $$; echo never"))
    await desk.printed(handle, b"ready")
    await cancelled(desk, handle)


async def test_cancel_twice_and_from_elsewhere(desk):
    handle = await desk.start(sh("sleep 60"))
    await asyncio.gather(*(desk.another().cancel_job(handle) for _ in range(5)))
    await cancelled(desk, handle)
    await cancelled(desk, handle)


async def test_a_job_that_ended_stays_as_it_ended(desk):
    handle = await desk.start(sh("exit 7"))
    before = await desk.end(handle)
    await desk.local.cancel_job(handle)
    assert await desk.status(handle) == before


async def test_cancel_of_no_job(desk):
    with pytest.raises(NotFound):
        await desk.local.cancel_job(JobHandle(id="b" * 20))
