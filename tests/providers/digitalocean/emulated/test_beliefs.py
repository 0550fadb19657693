"""What nobody knows of App Platform may be either way: a job is told rightly in both."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.contract.jobs import ExitCodeSource, JobState, Reason

LINES = [f"line {number}" for number in range(5)]
WHOLE = "".join(f"{line}\n" for line in LINES).encode()

BELIEFS: dict[str, dict[str, Any]] = {
    "as it seems most likely": {},
    "a deploy-time job makes no invocation": {"invocations": False, "log_types": ("RUN",)},
    "its output is the deployment's": {"invocations": False, "log_types": ("DEPLOY",)},
    "an invocation shows late": {"invocation_lag_seconds": 0.2},
    "no pending deployment in an answer": {"pending_in_answer": False},
    "a failed deployment stays in its slot": {"slots_forget_seconds": None},
    "a new app is in no list for a while": {"missing_seconds": 0.2},
    "a deployment is CANCELED before its jobs": {"cancel_waits": False},
    "times have fractions": {"whole_seconds": False},
    "a time to come is the year 1": {"zero_times": True},
    "no invocation can be cancelled itself": {"invocation_cancel": False},
    "a cancelled invocation cancels its deployment": {"invocation_cancelled_phase": "CANCELED"},
    "the archive lags": {"archive_lag_seconds": 0.2},
    "live beside the archive": {"live_with_archive": True},
    "archives in several files": {"archive_file_bytes": 8},
    "small frames": {"live_frame_bytes": 3},
    "lines with the component and the time in front": {"log_prefix": True},
}


@pytest.mark.parametrize("belief", BELIEFS)
async def test_a_job_that_succeeds(opened, belief):
    async with opened(**BELIEFS[belief]) as room:
        handle = await room.run(lines=LINES, run_seconds=0.2)
        assert await room.output(handle) == WHOLE
        status = await room.ended(handle)
        assert (status.state, status.reason) == (JobState.SUCCEEDED, Reason.COMPLETED)
        assert (status.exit_code, status.exit_code_source) == (0, ExitCodeSource.INFERRED)
        assert "deployment=" in status.evidence
        assert await room.output(handle) == WHOLE, "again, from what was kept"
        await room.inventory.delete(handle)
        assert room.emulator.apps == {}


@pytest.mark.parametrize("belief", BELIEFS)
async def test_a_job_that_fails(opened, belief):
    async with opened(**BELIEFS[belief]) as room:
        handle = await room.run(lines=LINES, run_seconds=0.1, exit_code=3)
        status = await room.ended(handle)
        assert (status.state, status.reason) == (JobState.FAILED, Reason.EXITED_NONZERO)
        assert (status.exit_code, status.exit_code_source) == (None, ExitCodeSource.UNKNOWN)
        # A new app's deployment may show after its invocation: the end is told without it, then.
        await room.until(
            handle, lambda now: "DeployContainerExitNonZero" in now.message + now.evidence
        )
        assert await room.output(handle) == WHOLE


@pytest.mark.parametrize("belief", BELIEFS)
async def test_a_job_that_is_cancelled(opened, belief):
    async with opened(**BELIEFS[belief]) as room:
        handle = await room.run(lines=["begun"], never_ends=True)
        await room.until(handle, lambda status: status.state is JobState.RUNNING)
        await room.canceler.cancel_job(handle)
        status = await room.ended(handle)
        assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
        assert status.exit_code is None
        await room.inventory.delete(handle)
        assert room.emulator.apps == {}
