"""SIGKILL at each point of a launch on ECS: found again by its key, one task, none orphaned."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.crash.cloud import Cloud, opened_cloud, script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINES = [f"line {number}" for number in range(15)]
WHOLE = "".join(f"{line}\n" for line in LINES)
JOB = script(lines=LINES, run_seconds=0.6, exit_code=7)
SLOW: dict[str, Any] = {
    "latency_seconds": 0.12,
    "provisioning_seconds": 0.2,
    "pending_seconds": 0.2,
    "deprovisioning_seconds": 0.3,
    "log_lag_seconds": 0.3,
}
VICTIMS = ["cli", "plugin"]


def run(cloud: Cloud, *options: str) -> Any:
    place = ("--on", "prod", "--image", "x", "--key", "k", "--name", "crash", "--keep")
    return cloud.popen("run", *place, *options, "--", *JOB)


def assert_one_whole_job(cloud: Cloud) -> None:
    """The same command again finds the same task, here and on another machine."""
    for machine in (cloud, cloud.elsewhere()):
        code, out, err = machine.finish(run(machine))
        assert (code, out) == (7, WHOLE), err
    [task] = cloud.asked("tasks")
    assert task["stopped"], "an orphan runs on"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with opened_cloud(tmp_path / "machine", **SLOW) as opened:
        yield opened


def told(cloud: Cloud, call: str) -> bool:
    return bool(cloud.asked("calls").get(call))


POINTS = {
    "the definition is looked for": lambda cloud: told(cloud, "ecs.DescribeTaskDefinition"),
    "the definition is registered": lambda cloud: told(cloud, "ecs.RegisterTaskDefinition"),
    "the launch is on its way": lambda cloud: told(cloud, "ecs.RunTask"),
    "the task is there": lambda cloud: bool(cloud.asked("tasks")),
    "it is looked at": lambda cloud: told(cloud, "ecs.DescribeTasks"),
    "its output is read": lambda cloud: told(cloud, "logs.GetLogEvents"),
    "it has ended": lambda cloud: any(
        task["stopped"] and task["stopped"] <= time.time() for task in cloud.asked("tasks")
    ),
}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("point", POINTS)
def test_killed_at(cloud, victim, point):
    process = run(cloud)
    cloud.until(lambda: POINTS[point](cloud) or process.poll() is not None)
    cloud.kill(process, victim)
    assert_one_whole_job(cloud)


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("moment", [0.15, 0.35, 0.7])
def test_killed_at_any_moment(cloud, victim, moment):
    process = run(cloud)
    time.sleep(moment)
    cloud.kill(process, victim)
    assert_one_whole_job(cloud)


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "throttled", "server_error"])
def test_an_answer_that_is_lost_or_refused_costs_a_try_and_no_task(tmp_path, kind):
    fault = {"kind": kind, "operation": "RunTask", "first": 2}
    with opened_cloud(tmp_path / "machine", **SLOW, faults=[fault]) as cloud:
        code, out, err = cloud.finish(run(cloud))
        assert (code, out) == (7, WHOLE), err
        assert len(cloud.asked("tasks")) == 1


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_after_the_answer_was_lost(tmp_path, victim):
    """The task is there, and nobody here has heard of it."""
    fault = {"kind": "hang", "operation": "RunTask", "first": 1, "seconds": 30}
    lost = {"kind": "reset_after", "operation": "RunTask", "first": 1}
    with opened_cloud(tmp_path / "machine", **SLOW, faults=[lost, fault]) as cloud:
        process = run(cloud)
        cloud.until(lambda: bool(cloud.asked("tasks")))
        cloud.kill(process, victim)
        cloud.change(faults=[])
        assert_one_whole_job(cloud)


def test_ps_finds_a_launch_that_was_cut_short(cloud):
    process = run(cloud)
    cloud.until(lambda: bool(cloud.asked("tasks")))
    cloud.kill(process, "cli")
    code, out, err = cloud("ps", "--all", "--output", "json")
    assert code == 0, err
    assert '"crash"' in out
    code, out, _ = cloud("wait", "crash", "--output", "json")
    assert code == 7
    assert_one_whole_job(cloud)


def test_with_a_task_that_is_missing_at_first_and_throttled_looks(tmp_path):
    knobs = SLOW | {"missing_seconds": 1.0, "rates": {"DescribeTasks": [1, 2]}}
    with opened_cloud(tmp_path / "machine", **knobs) as cloud:
        process = run(cloud)
        cloud.until(lambda: bool(cloud.asked("tasks")))
        cloud.kill(process, "cli")
        assert_one_whole_job(cloud)
