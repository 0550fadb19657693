"""SIGKILL at each point of a job on ECS: found again by its key, one task, none orphaned."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.crash.cloud import Cloud, opened_cloud, running_emulator, script

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

LINES = [f"line {number}" for number in range(15)]
WHOLE = "".join(f"{line}\n" for line in LINES)
JOB = script(lines=LINES, run_seconds=0.4, exit_code=7)
ENDLESS = script(lines=["line 0"], never_ends=True)
#: Each state lasts long enough to be met in it.
SLOW: dict[str, Any] = {
    "latency_seconds": 0.1,
    "provisioning_seconds": 0.2,
    "pending_seconds": 0.2,
    "deprovisioning_seconds": 0.3,
    "log_lag_seconds": 0.4,
}
VICTIMS = ["cli", "plugin"]
HANGS = {"kind": "hang", "operation": "RunTask", "seconds": 30}
CUT = {"kind": "reset_after", "operation": "RunTask"}
FULL = {
    "stopCode": "TaskFailedToStart",
    "stoppedReason": "Capacity is unavailable at this time. Please try again later.",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_emulator() as running:
        yield running


@pytest.fixture
def opened(url, tmp_path) -> Callable[..., AbstractContextManager[Cloud]]:
    """Opens an account: settings of dayfly's, and knobs of the emulator."""
    return partial(opened_cloud, url, tmp_path / "machine")


@pytest.fixture
def cloud(opened) -> Iterator[Cloud]:
    with opened(**SLOW) as made:
        yield made


def run(cloud: Cloud, *options: str, job: list[str] = JOB) -> subprocess.Popen[bytes]:
    place = ("--on", "prod", "--image", "x", "--key", "k", "--name", "crash")
    return cloud.popen("run", *place, *options, "--", *job)


def assert_one_whole_job(cloud: Cloud) -> None:
    """The same command again finds the same task, here and on another machine, at once."""
    machines = (cloud, cloud.elsewhere())
    for machine, process in [(machine, run(machine, "--keep")) for machine in machines]:
        code, out, err = machine.finish(process)
        assert (code, out) == (7, WHOLE), err
    assert_one_task(cloud)


def assert_one_task(cloud: Cloud) -> None:
    [task] = cloud.tasks()
    assert task["stopped"], "an orphan runs on"
    assert task["stopped"] <= time.time()


#: From before there is anything to after the end, while the last lines are on their way.
POINTS = {
    "the definition is registered": lambda cloud: cloud.told("ecs.RegisterTaskDefinition"),
    "the launch is on its way": lambda cloud: cloud.told("ecs.RunTask"),
    "it is launched": lambda cloud: bool(cloud.tasks()),
    "it runs": lambda cloud: cloud.reached("started"),
    "it is stopping": lambda cloud: cloud.reached("stopping"),
    "its last lines are on their way": lambda cloud: cloud.reached("stopped"),
}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("point", POINTS)
def test_killed_when(cloud, victim, point):
    process = run(cloud, "--keep")
    cloud.until(lambda: POINTS[point](cloud))
    cloud.kill(process, victim)
    assert_one_whole_job(cloud)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("moment", [0.15, 0.4])
def test_killed_before_aws_is_asked(cloud, victim, moment):
    process = run(cloud, "--keep")
    time.sleep(moment)
    cloud.kill(process, victim)
    assert_one_whole_job(cloud)


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "throttled", "server_error"])
def test_an_answer_that_is_lost_or_refused_costs_a_try_and_no_task(opened, kind):
    fault = {"kind": kind, "operation": "RunTask", "first": 2}
    with opened(**SLOW, faults=[fault]) as cloud:
        code, out, err = cloud.finish(run(cloud))
        assert (code, out) == (7, WHOLE), err
        assert_one_task(cloud)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("fault", [HANGS, CUT], ids=["hangs", "cut"])
def test_killed_between_the_launch_and_its_answer(opened, victim, fault):
    """The task is there, and nobody here has heard of it."""
    with opened(**SLOW, faults=[fault]) as cloud:
        process = run(cloud, "--keep")
        cloud.until(lambda: bool(cloud.tasks()))
        cloud.kill(process, victim)
        cloud.change(faults=[])
        assert_one_whole_job(cloud)


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_while_tasks_are_missing_and_looks_are_throttled(opened, victim):
    rates = {"DescribeTasks": [1, 2], "ListTasks": [1, 2], "GetLogEvents": [1, 3]}
    knobs = SLOW | {"missing_seconds": 1.5, "rates": rates, "faults": [HANGS]}
    with opened(**knobs) as cloud:
        process = run(cloud, "--keep")
        cloud.until(lambda: bool(cloud.tasks()))
        cloud.kill(process, victim)
        cloud.change(faults=[])
        assert_one_whole_job(cloud)


@pytest.mark.parametrize("faults", [[], [HANGS]], ids=["answered", "not answered"])
def test_what_was_cut_short_is_listed_awaited_read_and_removed(opened, faults):
    with opened(**SLOW, faults=faults) as cloud:
        process = run(cloud)
        cloud.until(lambda: bool(cloud.tasks()))
        cloud.kill(process, "cli")
        cloud.change(faults=[])
        code, out, err = cloud("ps", "--all", "--output", "json")
        assert code == 0, err
        [listed] = json.loads(out)["jobs"]
        assert (listed["name"], listed["warning"]) == ("crash", None)
        assert cloud("wait", "crash")[0] == 7
        assert cloud("logs", "-f", "crash")[:2] == (0, WHOLE)
        assert cloud("rm", "crash")[0] == 0
        assert_one_task(cloud)


def test_a_launch_that_never_reached_aws_is_told_from_one_that_did(cloud):
    cloud.change(faults=[{"kind": "hang", "operation": "RegisterTaskDefinition", "seconds": 30}])
    process = run(cloud)
    cloud.until(lambda: cloud.told("ecs.RegisterTaskDefinition"))
    cloud.kill(process, "cli")
    cloud.change(faults=[])
    code, out, _ = cloud("ps", "--output", "json")
    [listed] = json.loads(out)["jobs"]
    assert (code, listed["state"]) == (0, "UNKNOWN")
    assert "not answered" in listed["warning"]
    code, _, err = cloud("wait", "crash")
    assert (code, "dayfly run --key k" in err) == (125, True)
    assert_one_whole_job(cloud)


def test_a_task_that_was_not_visible_when_it_was_looked_for_is_found_later(opened):
    knobs = SLOW | {"missing_seconds": 60.0, "faults": [HANGS]}
    with opened(**knobs) as cloud:
        process = run(cloud)
        cloud.until(lambda: bool(cloud.tasks()))
        cloud.kill(process, "cli")
        cloud.change(faults=[])
        code, out, _ = cloud("ps", "--output", "json")
        assert (code, "not answered" in json.loads(out)["jobs"][0]["warning"]) == (0, True)
        cloud.change(ahead_seconds=60)
        code, out, err = cloud("wait", "crash")
        assert code == 7, err
        assert_one_task(cloud)


def test_a_launch_whose_answer_was_never_seen_can_be_stopped(opened):
    with opened(**SLOW, faults=[HANGS]) as cloud:
        process = run(cloud, job=ENDLESS)
        cloud.until(lambda: bool(cloud.tasks()))
        cloud.kill(process, "cli")
        cloud.change(faults=[])
        code, _, err = cloud("cancel", "crash")
        assert code == 0, err
        assert_one_task(cloud)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("point", ["asked", "confirming"])
def test_killed_while_it_stops_the_job(cloud, victim, point):
    process = run(cloud, "--keep", job=ENDLESS)
    cloud.until(lambda: cloud.reached("started"))
    cloud.interrupt(process)
    seen = {"asked": lambda: True, "confirming": lambda: cloud.told("ecs.StopTask")}
    cloud.until(seen[point])
    cloud.kill(process, victim)
    code, _, err = cloud("cancel", "crash")
    assert code == 0, err
    assert_one_task(cloud)
    code, out, err = cloud.finish(run(cloud, "--keep", job=ENDLESS))
    assert (code, out) == (130, "line 0\n"), err
    assert_one_task(cloud)


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_around_the_removal(cloud, victim):
    """Without --keep, and even so it is not run again."""
    process = run(cloud)
    assert process.stdout
    for _ in LINES:
        process.stdout.readline()
    cloud.kill(process, victim)
    code, out, err = cloud.finish(run(cloud))
    assert (code, out in {WHOLE, ""}) == (7, True), err
    assert_one_task(cloud)


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_while_it_is_launched_again(opened, victim):
    """Two machines go on where the first was; there is never more than one task at a time."""
    nowhere = script(fail_to_start=FULL)
    with opened() as cloud:
        process = run(cloud, "--keep", job=nowhere)
        cloud.until(lambda: len(cloud.tasks()) > 1)
        cloud.kill(process, victim)
        before = len(cloud.tasks())
        machines = (cloud, cloud.elsewhere())
        runs = [run(machine, "--keep", job=nowhere) for machine in machines]
        cloud.until(lambda: len(cloud.tasks()) > before + 1)
        for process in runs:
            cloud.interrupt(process)
        for process in runs:
            assert cloud.finish(process)[0] in {125, 130}
        lives = sorted((task["created"], task["stopped"]) for task in cloud.tasks())
        ends = [stopped for _, stopped in lives]
        assert all(born >= end for (born, _), end in zip(lives[1:], ends, strict=False))
        assert ends[-1] <= time.time()
