"""Ends that a healthy provider never shows, with a scripted connection."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from dayfly.cli.foreground import Order, run_in_foreground
from dayfly.contract.errors import DataLoss, Unauthenticated, Unavailable
from dayfly.contract.jobs import (
    JobHandle,
    JobSpec,
    JobState,
    JobStatus,
    LogBatch,
    Reason,
    Stream,
)
from dayfly.host import PluginDied

HANDLE = JobHandle(id="1")


class ScriptedJob:
    """A job whose output, end and removal are as a test says."""

    name, key, handle, adopted, notes = "scripted", "k", HANDLE, False, ("rounded up",)

    def __init__(self, *, output=(), end=None, delete=None):
        self._output, self._end, self._delete = output, end, delete
        self.cancelled = asyncio.Event()
        self.deleted = False

    async def output(self):
        for item in self._output:
            if isinstance(item, Exception):
                raise item
            yield LogBatch(stream=Stream.STDOUT, data=item, cursor="")

    async def wait(self):
        if isinstance(self._end, Exception):
            await asyncio.sleep(0.05)
            raise self._end
        if self._end is None:
            await self.cancelled.wait()
            return JobStatus(handle=HANDLE, state=JobState.CANCELLED, reason=Reason.CANCELLED)
        return self._end

    async def cancel(self):
        self.cancelled.set()
        return await self.wait()

    async def delete(self):
        if self._delete:
            raise self._delete
        self.deleted = True


class ScriptedConnection:
    """Where ``jobs`` of a connection is itself."""

    def __init__(self, job, *, connecting=0.0, launching=0.0):
        self.job, self.connecting, self.launching = job, connecting, launching
        self.jobs = self
        self.launch_cancelled = False

    async def __aenter__(self):
        await asyncio.sleep(self.connecting)
        return self

    async def __aexit__(self, *_):
        pass

    async def launch(self, spec, *, key, follow, keep, report):
        assert follow
        self.kept = keep
        try:
            await asyncio.sleep(self.launching)
        except asyncio.CancelledError:
            self.launch_cancelled = True
            raise
        return self.job


def ended(state=JobState.SUCCEEDED, code=0):
    return JobStatus(handle=HANDLE, state=state, exit_code=code)


def order(**changes):
    return Order(spec=JobSpec(command=("x",)), stdout=os.open(os.devnull, os.O_WRONLY), **changes)


async def test_output_that_cannot_be_read_is_said_and_keeps_the_job(capfd):
    job = ScriptedJob(output=[b"some", DataLoss("the logs are gone")], end=ended())
    outcome = await run_in_foreground(ScriptedConnection(job), order())
    assert (outcome.exit_code, outcome.kept, job.deleted) == (125, True, False)
    said = capfd.readouterr()
    assert "the logs are gone" in said.err
    assert "dayfly logs scripted" in said.err
    assert "rounded up" in said.err
    assert "goes on" not in said.err  # It has ended.
    assert said.out == ""


async def test_the_death_of_its_plugin_is_told_once(capfd):
    died = PluginDied("it died")
    with pytest.raises(PluginDied):
        await run_in_foreground(ScriptedConnection(ScriptedJob(output=[died], end=died)), order())
    assert "it died" not in capfd.readouterr().err  # Whoever called tells of it.


async def test_output_that_came_before_the_death_of_its_plugin_arrives():
    source, target = os.pipe()
    died = PluginDied("it died")
    job = ScriptedJob(output=[b"x" * 300_000, died], end=died)
    got = bytearray()

    def read():
        time.sleep(0.2)  # By when nothing but the reader is waited for.
        while data := os.read(source, 65536):
            got.extend(data)

    reading = threading.Thread(target=read)
    reading.start()
    wanted = replace(order(), stdout=target)
    with pytest.raises(PluginDied):
        await run_in_foreground(ScriptedConnection(job), wanted)
    arrived = len(got)
    os.close(target)
    await asyncio.to_thread(reading.join)
    # A pipe's worth may be in the pipe, and as much be read and not counted yet.
    assert arrived >= 300_000 - 2 * 65536


async def test_output_lost_with_its_plugin_is_said_where_the_end_was_seen(capfd):
    job = ScriptedJob(output=[PluginDied("it died")], end=ended())
    assert (await run_in_foreground(ScriptedConnection(job), order())).exit_code == 125
    assert capfd.readouterr().err.count("it died") == 1


async def test_a_failed_jobs_own_code_wins_over_lost_output():
    job = ScriptedJob(output=[Unavailable("away")], end=ended(JobState.FAILED, 7))
    assert (await run_in_foreground(ScriptedConnection(job), order())).exit_code == 7


async def test_leftovers_that_stay_are_said_and_do_not_change_the_code(capfd):
    job = ScriptedJob(end=ended(), delete=Unavailable("away"))
    outcome = await run_in_foreground(ScriptedConnection(job), order())
    assert (outcome.exit_code, outcome.kept) == (0, True)
    assert "dayfly rm scripted" in capfd.readouterr().err


async def test_a_watch_that_ends_with_an_error_says_that_the_job_may_run(capfd):
    job = ScriptedJob(end=Unauthenticated("expired"))
    with pytest.raises(Unauthenticated, match="expired"):
        await run_in_foreground(ScriptedConnection(job), order())
    assert "scripted may still run" in capfd.readouterr().err


@pytest.mark.parametrize("keep", [False, True])
async def test_a_launch_knows_whether_its_ended_job_is_kept(keep):
    connection = ScriptedConnection(ScriptedJob(end=ended()))
    assert (await run_in_foreground(connection, order(keep=keep))).kept is keep
    assert connection.kept is keep


@pytest.mark.parametrize("phase", ["connecting", "launching"])
async def test_a_signal_before_there_is_a_job_ends_it_there(phase):
    connection = ScriptedConnection(ScriptedJob(end=ended()), **{phase: 30})
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        outcome = await run_in_foreground(connection, order())
    assert (outcome.exit_code, outcome.job) == (143, None)
    assert connection.launch_cancelled is (phase == "launching")


async def test_a_signal_cancels_the_job_and_waits():
    job = ScriptedJob()
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
    async with asyncio.timeout(5):
        outcome = await run_in_foreground(ScriptedConnection(job), order())
    assert outcome.exit_code == 130
    assert outcome.status.state is JobState.CANCELLED
    assert job.deleted


async def test_a_reader_that_left_cancels_the_job():
    source, target = os.pipe()
    os.close(source)
    job = ScriptedJob(output=[b"x"] * 3)
    async with asyncio.timeout(5):
        outcome = await run_in_foreground(
            ScriptedConnection(job), Order(spec=JobSpec(command=("x",)), stdout=target)
        )
    os.close(target)
    assert outcome.exit_code == 141
    assert job.cancelled.is_set()
