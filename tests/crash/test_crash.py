"""SIGKILL at any point between the intent and the end loses no job and starts none twice."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

LINES = 15
WHOLE = b"".join(b"line %d\n" % number for number in range(1, LINES + 1))
VICTIMS = ["cli", "plugin"]

#: Seconds, from before the intent to after the end of a run that takes about one.
MOMENTS = [0.08, 0.16, 0.22, 0.28, 0.35, 0.5, 0.7, 1.0]


def assert_one_whole_job(crash) -> None:
    """The same command again finds the same job, with all its output and its code."""
    code, out, err = crash.finish(crash.run("--keep"))
    assert (code, out) == (7, WHOLE), err.decode()
    assert crash.times_started() == 1


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment(crash, victim, moment):
    process = crash.run("--keep")
    time.sleep(moment)
    crash.kill(process, victim)
    assert_one_whole_job(crash)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("effect", ["journaled", "made", "started"])
def test_killed_once_there_is_something_to_see(crash, victim, effect):
    """The intent is written; the provider has the job; the job has begun."""
    process = crash.run("--keep")
    crash.wait_for(getattr(crash, effect), process)
    crash.kill(process, victim)
    assert_one_whole_job(crash)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("line", [1, LINES])
def test_killed_while_it_follows(crash, victim, line):
    process = crash.run("--keep")
    read_to(process, line)
    crash.kill(process, victim)
    assert_one_whole_job(crash)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("moment", [0.0, 0.03, 0.1])
def test_killed_around_the_removal(crash, victim, moment):
    """Without --keep: the job may be gone already, and even so it is not run again."""
    process = crash.run()
    read_to(process, LINES)
    time.sleep(moment)
    crash.kill(process, victim)
    code, out, err = crash.finish(crash.run())
    assert crash.times_started() == 1, err.decode()
    assert code == 7, err.decode()
    assert out in {WHOLE, b""}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("moment", [0.0, 0.05])
def test_killed_while_it_cancels(crash, interrupt: Callable[..., None], victim, moment):
    """A stop that was asked for and not awaited can be asked for again."""
    endless = "trap 'exit 143' TERM; echo line 1; sleep 60 & wait"
    process = crash.run("--keep", script=endless)
    read_to(process, 1)
    interrupt(process)
    time.sleep(moment)
    crash.kill(process, victim)
    code, out, err = crash.ask("cancel", crash.name, "--output", "json")
    assert code == 0, err.decode()
    assert state_of(crash) == "CANCELLED", out
    code, out, _ = crash.finish(crash.run("--keep", script=endless))
    assert (code, out) == (130, b"line 1\n")
    assert crash.times_started() == 1


def read_to(process: subprocess.Popen[bytes], number: int) -> None:
    assert process.stdout
    for _ in range(number):
        assert process.stdout.readline().startswith(b"line ")


def state_of(crash) -> str:
    code, out, err = crash.ask("status", crash.name, "--output", "json")
    assert code == 0, err.decode()
    return str(json.loads(out)["state"])
