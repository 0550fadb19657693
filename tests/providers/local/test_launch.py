"""One key is one job; what cannot run leaves nothing; argv and environment arrive."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from tests.providers.local.conftest import sh

from dayfly.contract.errors import AlreadyExists, InvalidField
from dayfly.contract.identity import intent_digest, key_digest
from dayfly.contract.jobs import JobSpec, JobState, Submission
from dayfly.providers.local.client import Client

ARGUMENTS = (
    "",
    "   ",
    "it's",
    'say "hi"',
    "line one\nline two\n",
    "$HOME `id` $(id)",
    "é 😀",
    "\x01",
)


async def test_argv_arrives_intact(desk):
    script = 'for word in "$@"; do printf \'%s\\000\' "$word"; done'
    handle = await desk.start(JobSpec(command=("sh", "-c", script, "sh", *ARGUMENTS)))
    await desk.end(handle)
    out, _ = await desk.output(handle)
    assert out.decode().split("\0")[:-1] == list(ARGUMENTS)


async def test_the_environment_is_what_was_given_and_little_else(desk, monkeypatch):
    monkeypatch.setenv("OF_THE_PLUGIN", "leaked")
    monkeypatch.setenv("LC_TIME", "C")
    handle = await desk.start(sh("env -0", env={"GIVEN": "a b\n$c", "EMPTY": ""}))
    await desk.end(handle)
    out, _ = await desk.output(handle)
    env = dict(line.split("=", 1) for line in out.decode().split("\0")[:-1])
    assert (env["GIVEN"], env["EMPTY"], env["LC_TIME"]) == ("a b\n$c", "", "C")
    assert env["PATH"] == os.environ["PATH"]
    assert "OF_THE_PLUGIN" not in env


async def test_a_job_starts_in_the_caller_s_directory_or_in_its_own(desk, monkeypatch, tmp_path):
    monkeypatch.setenv("PWD", str(tmp_path))
    for spec, expected in (
        (sh("pwd; umask"), str(tmp_path)),
        (sh("pwd; umask", working_dir="/"), "/"),
    ):
        handle = await desk.start(spec)
        await desk.end(handle)
        assert (await desk.output(handle))[0].decode().split() == [expected, "0022"]


async def test_signals_that_the_plugin_ignores_are_not_ignored_by_the_job(desk):
    handle = await desk.start(sh("grep SigIgn /proc/self/status"))
    await desk.end(handle)
    out, _ = await desk.output(handle)
    # Those that POSIX names; what lies above belongs to the C library.
    assert int(out.split()[1], 16) & 0x7FFFFFFF == 0


async def test_the_same_key_three_times_is_one_job(desk):
    spec = sh("echo once; exit 3")
    first = await desk.submit(spec, "a-key")
    again = await desk.submit(spec, "a-key")
    assert (first.adopted, again.adopted) == (False, True)
    assert (await desk.end(first.handle)).exit_code == 3
    third = await desk.submit(spec, "a-key")
    assert third.adopted
    assert first.handle == again.handle == third.handle
    assert await desk.output(first.handle) == (b"once\n", b"")


async def test_another_job_under_the_same_key_is_refused(desk):
    await desk.start(sh("true"), "a-key")
    with pytest.raises(AlreadyExists):
        await desk.submit(sh("false"), "a-key")


async def test_one_key_from_many_processes_starts_one_job(desk, tmp_path):
    program = tmp_path / "submit.py"
    program.write_text(
        "import asyncio, sys, pathlib\n"
        "from dayfly.contract.jobs import JobSpec, Submission\n"
        "from dayfly.providers.local.config import Config\n"
        "from dayfly.providers.local.runner import Local\n"
        "local = Local(Config(state_dir=pathlib.Path(sys.argv[1])))\n"
        "spec = JobSpec(command=('sh', '-c', 'echo once; sleep 0.5'))\n"
        "one = lambda: local.submit(Submission(spec=spec, key='shared'), lambda _: None)\n"
        "async def main():\n"
        "    for answer in await asyncio.gather(*(one() for _ in range(4))):\n"
        "        print(answer.handle.id, answer.adopted)\n"
        "asyncio.run(main())\n"
    )
    argv = (sys.executable, str(program), str(desk.state))
    processes = [
        await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    outputs = [(await process.communicate())[0] for process in processes]
    lines = b"".join(outputs).decode().splitlines()
    assert len(lines) == 12
    assert {line.split()[0] for line in lines} == {key_digest("shared")}
    assert sum(line.endswith("False") for line in lines) == 1
    handle = await desk.local.find("shared")
    assert (await desk.end(handle)).exit_code == 0
    assert await desk.output(handle) == (b"once\n", b"")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (JobSpec(command=("/no/such/program",)), "command[0]"),
        (JobSpec(command=("no-such-program",)), "command[0]"),
        (JobSpec(command=("/etc/passwd",)), "command[0]"),
        (JobSpec(command=("/etc",)), "command[0]"),
        (JobSpec(), "command"),
        (sh("true", working_dir="/no/such/place"), "working_dir"),
        (sh("true", working_dir="relative"), "working_dir"),
    ],
)
async def test_what_cannot_run_is_refused_and_leaves_nothing(desk, spec, field):
    for ask in (desk.submit(spec, "k"), desk.local.plan(Submission(spec=spec, key="k"))):
        with pytest.raises(InvalidField) as raised:
            await ask
        assert raised.value.field == field
    assert await desk.local.find("k") is None
    assert not list(desk.state.rglob("*"))


@pytest.mark.parametrize(
    ("text", "field"),
    [("no program\n", "command[0]"), ("#!/no/such/interpreter\n", "command[0]")],
)
async def test_what_the_kernel_refuses_to_execute_leaves_nothing(desk, tmp_path, text, field):
    script = tmp_path / "script"
    script.write_text(text)
    script.chmod(0o755)
    with pytest.raises(InvalidField) as raised:
        await desk.submit(JobSpec(command=(str(script),)))
    assert raised.value.field == field
    assert str(script) in str(raised.value)
    assert list((desk.state / "local" / "jobs").iterdir()) == []


async def test_too_long_an_argument_is_refused(desk):
    with pytest.raises(InvalidField) as raised:
        await desk.submit(JobSpec(command=("true", "x" * 3_000_000)))
    assert raised.value.field == "command"


async def test_a_crash_before_the_start_is_made_good_by_the_same_key(desk):
    spec = sh("echo started after all")
    digest = intent_digest(spec)
    half = {"key": "a-key", "name": "n", "digest": digest, "labels": {}, "created": 1}
    client = Client(desk.state)
    assert client._make(key_digest("a-key"), half)
    assert await desk.local.find("a-key") is None
    (listed,) = await desk.local.list_jobs()
    assert listed.status.state is JobState.PENDING
    assert listed.warning
    answer = await desk.submit(spec, "a-key")
    assert (await desk.end(answer.handle)).exit_code == 0
    assert await desk.output(answer.handle) == (b"started after all\n", b"")


async def test_a_crash_before_the_start_can_be_cancelled_and_stays_so(desk):
    spec = sh("echo never")
    half = {"key": "k", "name": "n", "digest": intent_digest(spec), "labels": {}, "created": 1}
    Client(desk.state)._make(key_digest("k"), half)
    (listed,) = await desk.local.list_jobs()
    await desk.local.cancel_job(listed.status.handle)
    assert (await desk.status(listed.status.handle)).state is JobState.CANCELLED
    assert (await desk.submit(spec, "k")).adopted
    assert await desk.output(listed.status.handle) == (b"", b"")


async def test_a_plan_creates_nothing_and_shows_references_only(desk):
    spec = sh("true", env={"A": "b"}, secrets={"PASSWORD": "env:NOT_RESOLVED_HERE"})
    plan = await desk.local.plan(Submission(spec=spec, key="k"))
    request = json.loads(plan.calls[-1].request)
    assert request["argv"] == ["sh", "-c", "true"]
    assert request["secrets"] == {"PASSWORD": "env:NOT_RESOLVED_HERE"}
    assert not desk.state.exists()


async def test_the_job_s_directory_is_the_user_s_alone(desk):
    handle = await desk.start(sh("echo private"))
    await desk.end(handle)
    for path in (desk.directory(handle), *desk.directory(handle).iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    assert Path(handle.metadata["state"]) == desk.state
