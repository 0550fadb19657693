"""Argv, bounds, streams, stops, and output that cannot be read."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.jobs.scripted import ClassicRunner, Scripted
from tests.sandbox.places import ABLE, places, prints

from dayfly.contract.errors import DataLoss, InvalidField, PermissionDenied
from dayfly.contract.jobs import JobSpec, JobState, Reason, Stream, Submission
from dayfly.jobs.classic import ClassicSubmitter
from dayfly.sandbox import Output, Sandbox
from dayfly.sandbox.bound import Bound

WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@pytest.fixture
def provider() -> Scripted:
    return Scripted(ABLE)


@pytest.fixture
def sandbox(provider: Scripted) -> Sandbox:
    return Sandbox(places(docker=provider.services()))


@given(rest=st.lists(WORDS, max_size=4))
def test_a_shell_reads_argv_back_as_it_was(rest):
    """A wire that has only a string gets one that /bin/sh takes apart into the same words."""
    scripted = Scripted()
    prints(scripted)
    argv = ("printf", r"%s\0", *rest)
    submission = Submission(spec=JobSpec(name="n", command=argv), key="k")
    submitter = ClassicSubmitter(ClassicRunner(scripted), "go")
    asyncio.run(submitter.submit(submission, lambda _: None))
    line = scripted.sent[0].spec.run_command
    said = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True, timeout=10)
    assert said.stdout == b"".join(word.encode() + b"\0" for word in rest or [""])


async def test_argv_stays_argv_where_the_wire_has_it(provider, sandbox):
    prints(provider)
    await sandbox.exec(["sh", "-c", "echo  $0", "a  b"])
    assert provider.sent[0].spec.command == ("sh", "-c", "echo  $0", "a  b")


@pytest.mark.parametrize("argv", ["echo hi", [], ()])
async def test_a_command_is_a_list_with_something_in_it(sandbox, argv):
    with pytest.raises(InvalidField) as refused:
        await sandbox.exec(argv)
    assert refused.value.field == "command"


async def test_a_result_has_each_stream_the_code_and_the_reason(provider, sandbox):
    def play(job):
        job.prints(b"out")
        job.prints(b"err", Stream.STDERR)
        job.prints(b"both", Stream.COMBINED)
        job.ends(3, message="exited with 3")

    provider.on_submit = play
    result = await sandbox.exec(["x"])
    assert (result.stdout, result.stderr) == (b"outboth", b"err")
    assert (result.exit_code, result.reason, result.ok) == (3, Reason.EXITED_NONZERO, False)
    assert result.message == "exited with 3"
    assert result.notes == ("memory rounded up",)
    assert provider.jobs == {}, "the ended job is removed"


async def test_output_is_cut_at_the_bound_with_a_mark_and_read_to_its_end(provider, sandbox):
    prints(provider, b"12345", b"67890", b"abc")
    result = await sandbox.exec(["x"], max_output=7)
    assert result.stdout == b"1234567\n[dayfly: output cut here, after 7 bytes]\n"
    assert (result.stdout_dropped, result.stderr_dropped) == (6, 0)
    assert result.ok
    with pytest.raises(InvalidField):
        await sandbox.exec(["x"], max_output=-1)


@pytest.mark.parametrize(
    ("options", "stopped"),
    [
        ({}, True),
        ({"profile": "standard"}, True),
        ({"profile": "permissive"}, False),
        ({"max_output": 2 << 30}, False),
    ],
)
async def test_a_command_that_prints_without_end_is_stopped(provider, sandbox, options, stopped):
    """What it prints is kept on somebody's disk until it is removed."""
    piece = bytes(1 << 26)

    def play(job):
        for _ in range(17):
            job.prints(piece)
        if not stopped:
            job.ends(0)

    provider.on_submit = play
    async with sandbox.stream(["yes"], **options) as running:
        async for _ in running:
            pass
        result = await running.result()
    assert provider.calls["cancel_job"] == int(stopped)
    assert provider.jobs == {}
    assert result.ok is not stopped
    if stopped:
        assert (result.state, result.exit_code) == (JobState.FAILED, None)
        assert result.reason is Reason.CANCELLED
        assert "printed more than the 1024 MiB that" in result.message


@given(st.lists(st.tuples(st.sampled_from(Stream), st.binary(max_size=20))), st.integers(0, 40))
def test_a_bound_keeps_the_beginning_of_each_stream_and_counts_the_rest(pieces, most):
    bound = Bound(most)
    mark = f"\n[dayfly: output cut here, after {most} bytes]\n".encode()
    passed = dict.fromkeys(Stream, b"")
    for stream, data in pieces:
        for output in bound.take(Output(stream=stream, data=data)):
            passed[output.stream] += output.data
    for stream in Stream:
        whole = b"".join(data for of, data in pieces if of is stream)
        cut = len(whole) > most
        assert passed[stream] == (whole[:most] + mark if cut else whole)
        assert bound.dropped(stream) == max(len(whole) - most, 0)


async def test_output_comes_while_the_command_runs(provider, sandbox):
    async with sandbox.stream(["x"]) as running:
        outputs = aiter(running)
        first = asyncio.create_task(anext(outputs))
        await provider.called("logs")
        provider.only.prints(b"one")
        assert (await first).data == b"one"
        provider.only.prints(b"two")
        provider.only.ends(0)
        assert [output.data async for output in outputs] == [b"two"]
        result = await running.result()
    assert (result.ok, result.stdout) == (True, b"")


async def test_leaving_early_stops_the_command_and_removes_it(provider, sandbox):
    provider.on_submit = lambda job: job.prints(b"one")
    async with sandbox.stream(["x"]) as running:
        async for output in running:
            assert output.data == b"one"
            break
        assert provider.only.status.state is JobState.RUNNING
    assert provider.calls["cancel_job"] == 1
    assert provider.jobs == {}


@pytest.mark.parametrize("after", ["submit", "logs"])
async def test_cancelling_the_caller_stops_the_command(provider, sandbox, after):
    running = asyncio.create_task(sandbox.exec(["x"]))
    await provider.called(after)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert provider.calls["cancel_job"] == 1
    assert provider.jobs == {}


async def test_being_cancelled_twice_stops_it_all_the_same(provider, sandbox):
    provider.delay["cancel_job"] = 0.05
    running = asyncio.create_task(sandbox.exec(["x"]))
    await provider.called("logs")
    running.cancel()
    await provider.called("cancel_job")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert all(job.status.state is JobState.CANCELLED for job in provider.jobs.values())


async def test_a_timeout_that_nobody_else_keeps_stops_the_command(provider):
    provider.description = replace(ABLE, honours=ABLE.honours - {"timeout_seconds"})
    sandbox = Sandbox(places(docker=provider.services()))
    result = await sandbox.exec(["x"], timeout_seconds=1)
    assert (result.state, result.reason) == (JobState.FAILED, Reason.TIMED_OUT)
    assert provider.calls["cancel_job"] == 1


async def test_output_that_cannot_be_read_is_in_the_result_and_not_in_the_output(provider, sandbox):
    prints(provider, b"one", b"two", code=5)
    provider.breaks["1"] = PermissionDenied("not allowed to read logs")
    result = await sandbox.exec(["x"])
    assert (result.exit_code, result.stdout, result.stderr) == (5, b"one", b"")
    assert isinstance(result.output_error, PermissionDenied)
    assert "dayfly logs" in result.notes[-1]
    assert len(provider.jobs) == 1, "it stays, so that its output can be read again"


async def test_what_cannot_be_removed_is_noted_and_fails_nothing(provider, sandbox):
    prints(provider)
    provider.faults["delete"].append(DataLoss("the cupboard is stuck"))
    result = await sandbox.exec(["x"])
    assert result.ok
    assert "could not be removed: the cupboard is stuck" in result.notes[-1]
    bare = Sandbox(places(docker=provider.services("inventory")))
    assert "cannot remove jobs" in (await bare.exec(["x"])).notes[-1]
