"""Jobs on ECS through the command line and the plugin's own process; what goes wrong is told."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.crash.cloud import SECRET, Cloud, opened_cloud, script

if TYPE_CHECKING:
    from collections.abc import Iterator

ON = ("--on", "prod", "--image", "x")
#: Waiting cannot help, so nobody waits: the plugin's start, and a call or two.
AT_ONCE_SECONDS = 8.0


@pytest.fixture
def cloud(tmp_path) -> Iterator[Cloud]:
    with opened_cloud(tmp_path / "machine") as opened:
        yield opened


def run(cloud: Cloud, *options: str, **behaviour: Any) -> tuple[int, str, str]:
    return cloud("run", *ON, *options, "--", *script(**behaviour))


def begun(cloud: Cloud, *options: str, **behaviour: Any) -> Any:
    process = cloud.popen("run", *ON, "--name", "job", *options, "--", *script(**behaviour))
    cloud.until(lambda: any(running(task) for task in cloud.asked("tasks")))
    return process


def running(task: dict[str, Any]) -> bool:
    return bool(task["started"]) and task["started"] <= time.time()


def test_a_job_its_output_and_its_code(cloud):
    code, out, err = run(cloud, "--cpus", "0.3", lines=["one", "two"], exit_code=3)
    assert (code, out) == (3, "one\ntwo\n")
    assert "rounded up 0.3 vCPU to 0.5" in err


def test_detached_and_found_from_another_machine_by_its_handle(cloud):
    code, out, _ = cloud(
        "run", *ON, "-d", "--output", "json", "--", *script(lines=["here"], run_seconds=0.5)
    )
    assert code == 0
    handle, elsewhere = json.loads(out)["handle"], cloud.elsewhere()
    assert elsewhere("wait", handle)[0] == 0
    assert elsewhere("logs", handle)[:2] == (0, "here\n")
    assert elsewhere("rm", handle)[0] == 0
    code, out, _ = elsewhere("ps", "--on", "prod", "--all", "--output", "json")
    assert [job["state"] for job in json.loads(out)["jobs"]] == ["SUCCEEDED"]


def test_ctrl_c_stops_the_task_and_waits(cloud):
    process = begun(cloud, never_ends=True)
    cloud.interrupt(process)
    code, _, err = cloud.finish(process)
    assert code == 130
    assert "stopping job" in err
    [task] = cloud.asked("tasks")
    assert task["stop_code"] == "UserInitiated"


def test_a_timeout_is_kept_by_whoever_watches(cloud):
    code, _, err = run(cloud, "--timeout", "1", never_ends=True)
    assert code == 124
    assert "timed out" in err
    code, _, err = cloud("run", *ON, "-d", "--timeout", "1", "--", *script())
    assert (code, "timeout" in err) == (125, True)


def test_what_runs_left_is_pruned(cloud):
    assert run(cloud)[0] == 0
    code, out, _ = cloud("prune", "--on", "prod", "--dry-run", "--output", "json")
    assert code == 0
    assert "dayfly-" in out
    assert cloud("prune", "--on", "prod")[0] == 0
    assert cloud.asked("calls")["ecs.DeleteTaskDefinitions"] == 1


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    # What is wrong: knobs, settings, what is said.
    "no such cluster": ({"clusters": ["default"]}, "", "cluster"),
    "a deleted cluster": ({"clusters": [], "inactive_clusters": ["jobs"]}, "", "cluster"),
    "no such subnet": ({"subnets": ["subnet-0123456789abcdef1"]}, "", "subnet"),
    "credentials that expired": ({"faults": [{"kind": "expired"}]}, "", "aws sso login"),
    "credentials that nobody knows": (
        {"faults": [{"kind": "bad_credentials"}]}, "", "aws sso login",
    ),
    "no permission": (
        {"faults": [{"kind": "denied", "operation": "RunTask"}]}, "", "Allow ecs:RunTask",
    ),
    "a role that may not be passed": (
        {"faults": [{"kind": "denied", "operation": "RunTask", "message": "User: "
          "arn:aws:iam::123456789012:user/a is not authorized to perform: iam:PassRole on "
          "resource: arn:aws:iam::123456789012:role/ecsTaskExecutionRole"}]},
        "", "Allow iam:PassRole",
    ),
    "no log group and no right to make one": (
        {"faults": [{"kind": "denied", "operation": "CreateLogGroup"}]},
        "", "Allow logs:CreateLogGroup",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_waiting_cannot_help_is_told_at_once_in_a_sentence(tmp_path, fault):
    knobs, more, said = FAULTS[fault]
    with opened_cloud(tmp_path / "machine", more, **knobs) as cloud:
        began = time.monotonic()
        code, out, err = run(cloud)
        assert time.monotonic() - began < AT_ONCE_SECONDS
        assert (code, out) == (125, "")
        assert said in err
        assert cloud.asked("tasks") == []


def test_a_region_that_does_not_exist_is_told_at_once(tmp_path):
    with opened_cloud(tmp_path / "machine") as cloud:
        text = (cloud.directory / "dayfly.toml").read_text()
        lines = [line for line in text.splitlines() if not line.startswith("endpoint_url")]
        wrong = "\n".join(lines).replace("eu-west-1", "eu-wast-9")
        (cloud.directory / "dayfly.toml").write_text(wrong)
        began = time.monotonic()
        code, _, err = run(cloud)
        assert time.monotonic() - began < AT_ONCE_SECONDS
        assert code == 125
        assert "eu-wast-9" in err


def test_no_credentials_are_told_at_once(cloud):
    cloud.env |= {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    began = time.monotonic()
    code, _, err = run(cloud)
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert code == 125
    assert "credentials" in err


ENDS: dict[str, tuple[dict[str, Any], int, str]] = {
    # What happens to the task: its script, the exit code of the command, what is said.
    "no such image": (
        {"fail_to_start": {"stopCode": "TaskFailedToStart", "stoppedReason":
          "CannotPullContainerError: pull access denied, repository does not exist"}},
        125, "image unavailable",
    ),
    "a secret that may not be read": (
        {"fail_to_start": {"stopCode": "TaskFailedToStart", "stoppedReason":
          "ResourceInitializationError: unable to pull secrets or registry auth: unable to "
          "retrieve secret from asm: AccessDeniedException"}},
        125, "secret unavailable",
    ),
    "out of memory": ({"oom": True}, 137, "out of memory"),
    "reclaimed": ({"spot_after": 0.1, "never_ends": True}, 125, "reclaimed"),
    "stopped by somebody": (
        {"interrupted": {"after": 0.1, "stopCode": "UserInitiated",
                         "stoppedReason": "Task stopped by ops"}, "never_ends": True},
        130, "Task stopped by ops",
    ),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_an_end_is_told_by_its_reason(cloud, end):
    behaviour, code, said = ENDS[end]
    answer = run(cloud, **behaviour)
    assert said in answer[2].lower() or said in answer[2]
    assert answer[0] == code


def test_a_secret_that_does_not_exist_ends_the_job(cloud):
    reference = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nowhere-AbCdEf"
    code, _, err = run(cloud, "--secret", f"PASSWORD={reference}")
    assert code == 125
    assert "secret unavailable" in err


def test_credentials_that_expire_during_a_run_leave_the_job_and_say_so(cloud):
    process = begun(cloud, never_ends=True)
    cloud.change(faults=[{"kind": "expired"}])
    code, _, err = cloud.finish(process)
    assert code == 125
    assert "expired" in err
    assert "dayfly status job" in err
    cloud.change(faults=[])
    assert cloud("cancel", "job")[0] == 0


def test_no_capacity_twice_is_waited_out(tmp_path):
    fault = {"kind": "no_capacity", "operation": "RunTask", "first": 2}
    with opened_cloud(tmp_path / "machine", faults=[fault]) as cloud:
        assert run(cloud, exit_code=4)[0] == 4


def test_a_task_that_could_not_get_a_place_is_launched_again(cloud):
    said = {
        "stopCode": "TaskFailedToStart",
        "stoppedReason": "Capacity is unavailable at this time. Please try again later.",
    }
    process = cloud.popen("run", *ON, "--name", "job", "--", *script(fail_to_start=said))
    cloud.until(lambda: len(cloud.asked("tasks")) > 1)
    cloud.interrupt(process)
    code, _, err = cloud.finish(process)
    assert code in {125, 130}
    assert "launched again" in err or "Capacity" in err


def test_no_key_of_aws_is_in_anything_that_is_kept_or_shown(cloud):
    code, out, err = cloud(
        "run", *ON, "--keep", "--name", "job", "--debug", "--output", "json", "--secret",
        "PASSWORD=arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf",
        "--", *script(lines=["x"]),
    )  # fmt: skip
    assert code == 0, err
    kept = [f.read_bytes() for f in (cloud.directory / "state").rglob("*") if f.is_file()]
    assert kept
    said = cloud("status", "job")[1]
    everything = [*kept, out.encode(), err.encode(), said.encode()]
    everything.append(json.dumps(cloud.asked("requests")).encode())
    assert not any(SECRET.encode() in data for data in everything)
