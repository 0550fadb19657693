"""SIGKILL at each point of a job on App Platform: found again by its key, run once."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.crash.platform import Platform, opened_platform, script
from tests.emulators.digitalocean.process import Running, running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

LINES = [f"line {number}" for number in range(8)]
WHOLE = "".join(f"{line}\n" for line in LINES)
JOB = script(lines=LINES, run_seconds=0.5)
ENDLESS = script(lines=["line 0"], never_ends=True)
SLOW: dict[str, Any] = {
    "latency_seconds": 0.05,
    "pending_build_seconds": 0.2,
    "pending_deploy_seconds": 0.2,
}
VICTIMS = ["cli", "plugin"]


@pytest.fixture(scope="module")
def there() -> Iterator[Running]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def opened(there, tmp_path) -> Callable[..., AbstractContextManager[Platform]]:
    """Opens an account with knobs of the emulator."""
    return partial(opened_platform, there, tmp_path / "machine")


@pytest.fixture
def platform(opened) -> Iterator[Platform]:
    with opened(**SLOW) as made:
        yield made


def run(platform: Platform, *options: str, job: list[str] = JOB) -> subprocess.Popen[bytes]:
    place = ("--on", "prod", "--image", "busybox:1.36", "--key", "k", "--name", "crash")
    return platform.popen("run", *place, *options, "--", *job)


def assert_one_whole_job(platform: Platform) -> None:
    """The same command again finds the same app, here and on another machine, at once."""
    machines = (platform, platform.elsewhere())
    for machine, process in [(machine, run(machine, "--keep")) for machine in machines]:
        code, out, err = machine.finish(process)
        assert (code, out) == (0, WHOLE), err
    assert platform.runs() == ["SUCCESS"]


POINTS: dict[str, Callable[[Platform], bool]] = {
    "the app is created": lambda platform: bool(platform.apps()),
    "it runs": lambda platform: "RUNNING" in platform.runs(),
    "it has ended": lambda platform: "SUCCESS" in platform.runs(),
    "its output is looked for": lambda platform: platform.told("apps_get_job_invocation_logs"),
}


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("point", POINTS)
def test_killed_when(platform, victim, point):
    process = run(platform, "--keep")
    platform.until(lambda: POINTS[point](platform))
    platform.kill(process, victim)
    assert_one_whole_job(platform)


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "throttled", "server_error"])
def test_an_answer_that_is_lost_or_refused_costs_a_try_and_no_app(opened, kind):
    fault = {"kind": kind, "operation": "apps_create", "first": 2, "status": 503}
    with opened(**SLOW, faults=[fault]) as platform:
        code, out, err = platform.finish(run(platform, "--keep"))
        assert (code, out) == (0, WHOLE), err
        assert platform.runs() == ["SUCCESS"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_between_the_launch_and_its_answer(opened, victim):
    hangs = {"kind": "hang", "operation": "apps_create", "seconds": 30}
    with opened(**SLOW, missing_seconds=0.5, faults=[hangs]) as platform:
        process = run(platform, "--keep")
        platform.until(lambda: bool(platform.apps()))
        platform.kill(process, victim)
        platform.there.change(faults=[])
        assert_one_whole_job(platform)


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_around_the_removal(platform, victim):
    """Without --keep, and even so it is not run again while its app is there."""
    process = run(platform)
    platform.until(lambda: "SUCCESS" in platform.runs())
    platform.kill(process, victim)
    code, out, err = platform.finish(run(platform))
    assert (code, out in {WHOLE, ""}) == (0, True), err
    assert platform.apps() == []


def test_a_launch_whose_answer_was_never_seen_can_be_stopped_and_removed(opened):
    hangs = {"kind": "hang", "operation": "apps_create", "seconds": 30}
    with opened(**SLOW, faults=[hangs]) as platform:
        process = run(platform, job=ENDLESS)
        platform.until(lambda: bool(platform.apps()))
        platform.kill(process, "cli")
        platform.there.change(faults=[])
        code, _, err = platform("cancel", "crash")
        assert code == 0, err
        assert "RUNNING" not in platform.runs()
        code, _, err = platform("rm", "crash")
        assert code == 0, err
        assert platform.apps() == []


SHOP = {
    "name": "shop",
    "region": "fra",
    "services": [
        {
            "name": "web",
            "image": {"registry_type": "DOCKER_HUB", "repository": "nginx", "tag": "1"},
            "run_command": "emulate {}",
        }
    ],
    "jobs": [
        {
            "name": "migrate",
            "kind": "PRE_DEPLOY",
            "image": {"registry_type": "DOCKER_HUB", "repository": "busybox", "tag": "1"},
            "run_command": """emulate '{"lines":["migrated"],"run_seconds":0.3}'""",
        }
    ],
}


@pytest.fixture
def shop(platform) -> dict[str, Any]:
    """Somebody's app, deployed."""
    app = platform.somebody("POST", "/v2/apps", {"spec": SHOP})["app"]
    platform.until(lambda: _settled(platform, app["id"]))
    return dict(app)


def _settled(platform: Platform, app: str) -> bool:
    now = platform.somebody("GET", f"/v2/apps/{app}")["app"]
    return not now.get("pending_deployment") and not now.get("in_progress_deployment")


def jobs_of(platform: Platform, app: str) -> list[str]:
    now = platform.somebody("GET", f"/v2/apps/{app}")["app"]
    return [job["name"] for job in now["spec"]["jobs"]]


CLONE = ("--target", "shop", "--target-mode", "clone", "--allow-redeploy")


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("call", ["apps_update", "apps_get_job_invocation_logs"])
def test_a_clone_that_a_crash_left_is_shown_and_taken_out(platform, shop, victim, call):
    """It would run on every later deployment of the app."""
    process = run(platform, *CLONE, job=script(lines=LINES, run_seconds=1))
    platform.until(lambda: platform.told(call))
    platform.until(lambda: len(jobs_of(platform, shop["id"])) == 2)
    platform.kill(process, victim)
    elsewhere = platform.elsewhere()
    code, out, err = elsewhere("ps", "--on", "prod", "--all", "--output", "json")
    assert code == 0, err
    [left] = json.loads(out)["jobs"]
    assert "runs again on every deployment" in left["warning"]
    platform.until(lambda: _settled(platform, shop["id"]))
    code, out, err = elsewhere("prune", "--on", "prod")
    assert code == 0, err
    assert jobs_of(platform, shop["id"]) == ["migrate"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_clone_whose_answer_was_lost_is_adopted(platform, shop, victim):
    platform.there.change(faults=[{"kind": "hang", "operation": "apps_update", "seconds": 30}])
    process = run(platform, *CLONE)
    platform.until(lambda: len(jobs_of(platform, shop["id"])) == 2)
    platform.kill(process, victim)
    platform.there.change(faults=[])
    code, out, err = platform.finish(run(platform, *CLONE))
    assert (code, out) == (0, WHOLE), err
    platform.until(lambda: _settled(platform, shop["id"]))
    assert jobs_of(platform, shop["id"]) == ["migrate"]
    [app] = platform.apps()
    names = [name for one in app["deployments"] for name in one["runs"]]
    assert len([name for name in names if name != "migrate"]) == 1


@pytest.mark.parametrize("victim", VICTIMS)
def test_an_attached_run_whose_answer_was_lost_is_not_made_twice(platform, shop, victim):
    hangs = {"kind": "hang", "operation": "apps_create_deployment", "seconds": 30}
    platform.there.change(faults=[hangs])

    def launched() -> subprocess.Popen[bytes]:
        target = ("--target", "shop", "--target-mode", "run", "--allow-redeploy")
        return platform.popen("run", "--on", "prod", "--key", "k", "--name", "crash", *target)

    process = launched()
    platform.until(lambda: len(platform.apps()[0]["deployments"]) == 2)
    platform.kill(process, victim)
    platform.there.change(faults=[])
    code, out, err = platform.finish(launched())
    assert (code, out) == (0, "migrated\n"), err
    assert len(platform.apps()[0]["deployments"]) == 2
