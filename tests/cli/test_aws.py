"""Jobs on ECS through the command line and the plugin's own process; what goes wrong is told."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.crash.cloud import Cloud, opened_cloud, running_emulator, script
from tests.emulators.aws import Emulator, Fault, Knobs
from tests.emulators.aws.script import emulate

from dayfly.contract.errors import Unavailable
from dayfly.contract.jobs import JobSpec, Reason
from dayfly.contract.services import Services
from dayfly.jobs import Jobs, Journal, Timing
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.observer import Observer
from dayfly.providers.aws.runner import Submitter
from dayfly.providers.aws.session import Session

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

ON = ("--on", "prod", "--image", "x")
#: Waiting cannot help, so nobody waits for minutes: the plugin's start, and a call or two.
AT_ONCE_SECONDS = 30.0
DATABASE = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf"
NOWHERE = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:nowhere-AbCdEf"
FULL = {"kind": "no_capacity", "operation": "RunTask"}


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
    with opened() as made:
        yield made


def run(cloud: Cloud, *options: str, **behaviour: Any) -> tuple[int, str, str]:
    return cloud("run", *ON, *options, "--", *script(**behaviour))


def starting(cloud: Cloud, *options: str, **behaviour: Any) -> subprocess.Popen[bytes]:
    return cloud.popen("run", *ON, "--name", "job", *options, "--", *script(**behaviour))


def begun(cloud: Cloud, *options: str, **behaviour: Any) -> subprocess.Popen[bytes]:
    process = starting(cloud, *options, **behaviour)
    cloud.until(lambda: cloud.reached("started"))
    return process


def detached(cloud: Cloud, *options: str, **behaviour: Any) -> str:
    """The token of a job that goes on."""
    code, out, err = run(cloud, "-d", "--output", "json", *options, **behaviour)
    assert code == 0, err
    return str(json.loads(out)["handle"])


@contextmanager
def at_once() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < AT_ONCE_SECONDS


def said_in_one_sentence(err: str, said: str) -> bool:
    """One line says what failed; one more, if any, what to do."""
    lines = [line for line in err.splitlines() if line.startswith("dayfly: ")]
    return len(lines) == 1 and said in err


def test_a_job_its_output_and_its_code(cloud):
    code, out, err = run(cloud, "--cpus", "0.3", lines=["one", "two"], exit_code=3)
    assert (code, out) == (3, "one\ntwo\n")
    assert "rounded up 0.3 vCPU to 0.5" in err


def test_a_job_that_prints_nothing_has_no_output_and_its_code(cloud):
    with at_once():
        assert run(cloud, run_seconds=0.3, exit_code=5) == (5, "", "")


def test_found_from_another_machine_by_its_handle(cloud):
    token, elsewhere = detached(cloud, lines=["here"], run_seconds=1), cloud.elsewhere()
    assert elsewhere("logs", "-f", token)[:2] == (0, "here\n")
    assert elsewhere("wait", token)[0] == 0
    assert elsewhere("rm", token)[0] == 0
    _, out, _ = elsewhere("ps", "--on", "prod", "--all", "--output", "json")
    assert [job["state"] for job in json.loads(out)["jobs"]] == ["SUCCEEDED"]


def test_stopped_from_another_machine_by_its_handle(cloud):
    token, elsewhere = detached(cloud, "--name", "job", never_ends=True), cloud.elsewhere()
    code, out, _ = elsewhere("ps", "--on", "prod", "--output", "json")
    [job] = json.loads(out)["jobs"]
    assert (code, job["handle"] == token) == (0, True)
    assert job["state"] in {"PENDING", "RUNNING"}
    assert elsewhere("rm", token)[0] == 125, "it runs"
    code, _, err = elsewhere("cancel", token)
    assert code == 0, err
    [task] = cloud.tasks()
    assert task["stop_code"] == "UserInitiated"
    assert task["stopped"] <= time.time()
    assert cloud("wait", "job")[0] == elsewhere("wait", token)[0] == 130


def test_ctrl_c_stops_the_task_and_waits(cloud):
    process = begun(cloud, never_ends=True)
    cloud.interrupt(process)
    code, _, err = cloud.finish(process)
    assert (code, "stopping job" in err) == (130, True)
    [task] = cloud.tasks()
    assert task["stop_code"] == "UserInitiated"
    assert task["stopped"] <= time.time()


def test_ctrl_c_before_the_task_runs(cloud):
    process = starting(cloud, pending_seconds=30, never_ends=True)
    cloud.until(lambda: bool(cloud.tasks()))
    cloud.interrupt(process)
    assert cloud.finish(process)[0] == 130
    [task] = cloud.tasks()
    assert task["started"] is None
    assert task["stopped"] <= time.time()


def test_ctrl_c_while_the_launch_is_not_answered(opened):
    fault = {"kind": "hang", "operation": "RunTask", "seconds": 30}
    with opened(faults=[fault]) as cloud:
        process = starting(cloud, never_ends=True)
        cloud.until(lambda: bool(cloud.tasks()))
        cloud.interrupt(process)
        assert cloud.finish(process)[0] == 130
        [task] = cloud.tasks()
        assert task["stopped"] <= time.time()


def test_a_timeout_is_kept_by_whoever_watches(cloud):
    code, _, err = run(cloud, "--timeout", "1", never_ends=True)
    assert (code, "timed out" in err) == (124, True)
    code, _, err = run(cloud, "-d", "--timeout", "1")
    assert (code, "timeout" in err) == (125, True)
    [task] = cloud.tasks()
    assert task["stop_code"] == "UserInitiated"


def test_what_runs_left_is_pruned_and_what_runs_use_is_not(cloud):
    assert run(cloud)[0] == 0
    token = detached(cloud, "--user", "1", never_ends=True)
    code, out, _ = cloud("prune", "--on", "prod", "--dry-run", "--output", "json")
    [left] = json.loads(out)["leftovers"]
    assert (code, left["name"].startswith("dayfly-")) == (0, True)
    assert cloud("prune", "--on", "prod")[0] == 0
    assert cloud.asked("calls")["ecs.DeleteTaskDefinitions"] == 1
    assert cloud("cancel", token)[0] == 0


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    # What is wrong: knobs, settings, what is said.
    "no such cluster": ({"clusters": ["default"]}, "", "cluster"),
    "a deleted cluster": ({"clusters": [], "inactive_clusters": ["jobs"]}, "", "cluster"),
    "no such subnet": ({"subnets": ["subnet-0123456789abcdef1"]}, "", "subnet"),
    "no such security group": ({"security_groups": ["sg-0000000000000000a"]},
                               'security_groups = ["sg-0123456789abcdef0"]', "security"),
    "no subnets": ({}, "subnets = []", "subnets is not configured"),
    "credentials that expired": ({"faults": [{"kind": "expired"}]}, "", "aws sso login"),
    "credentials that nobody knows": ({"access_keys": ["AKIAOTHER00000000000"]}, "",
                                      "aws sso login"),
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
    "a place that no instance has": (
        {"faults": [{**FULL, "message": "ATTRIBUTE"}]}, "", "no place that fits",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_waiting_cannot_help_is_told_at_once_in_a_sentence(opened, fault):
    knobs, more, said = FAULTS[fault]
    with opened(more, **knobs) as cloud, at_once():
        code, out, err = run(cloud)
        assert (code, out) == (125, "")
        assert said_in_one_sentence(err, said), err
        assert cloud.tasks() == []
        # Refused for good: nothing is left of it.
        assert Journal.open(cloud.directory / "state" / "journal.sqlite3").entries() == []


def test_a_region_that_does_not_exist_is_told_at_once(cloud):
    settings = cloud.directory / "dayfly.toml"
    lines = settings.read_text().replace("eu-west-1", "eu-wast-9").splitlines()
    settings.write_text("\n".join(line for line in lines if not line.startswith("endpoint_url")))
    with at_once():
        code, _, err = run(cloud)
    assert code == 125
    assert said_in_one_sentence(err, "eu-wast-9"), err


@pytest.mark.parametrize("metadata", ["true", "false"])
def test_no_credentials_are_told_at_once(cloud, metadata):
    nothing = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    cloud.env |= dict.fromkeys(nothing, "") | {"AWS_EC2_METADATA_DISABLED": metadata}
    with at_once():
        code, _, err = run(cloud)
    assert code == 125
    assert said_in_one_sentence(err, "credentials"), err


NEVER: dict[str, Any] = {"stopCode": "TaskFailedToStart"}
ENDS: dict[str, tuple[dict[str, Any], int, str]] = {
    # What happens to the task: its script, the exit code of the command, what is said.
    "no such image": (
        {"fail_to_start": {**NEVER, "stoppedReason":
          "CannotPullContainerError: pull access denied, repository does not exist"}},
        125, "image unavailable",
    ),
    "no such program": (
        {"fail_to_start": {**NEVER, "stoppedReason": "CannotStartContainerError: exec: "
          '"nope": executable file not found in $PATH'}},
        125, "executable file not found",
    ),
    "a secret that may not be read": (
        {"fail_to_start": {**NEVER, "stoppedReason":
          "ResourceInitializationError: unable to pull secrets or registry auth: unable to "
          "retrieve secret from asm: AccessDeniedException"}},
        125, "secret unavailable",
    ),
    "out of memory": ({"oom": True}, 137, "out of memory"),
    "reclaimed": ({"spot_after": 0.1, "never_ends": True}, 125, "reclaimed"),
    "a host that failed": (
        {"interrupted": {"after": 0.1, "stopCode": "InfrastructureHealth",
                         "stoppedReason": "The host is gone"}, "never_ends": True},
        125, "The host is gone",
    ),
}  # fmt: skip


def test_an_end_is_told_by_its_reason(cloud):
    """All at once: each waits for two seconds before it looks."""
    runs = {end: starting(cloud, **behaviour) for end, (behaviour, _, _) in ENDS.items()}
    for end, process in runs.items():
        _, code, said = ENDS[end]
        answer = cloud.finish(process)
        assert answer[0] == code, (end, answer)
        assert said_in_one_sentence(answer[2], said), (end, answer)


def test_who_waits_is_told_why_nothing_happens(cloud):
    """After five seconds, once; and what is told passes."""
    token = detached(cloud, "--name", "before", run_seconds=1)
    cloud.change(faults=[FULL, {"kind": "server_error", "operation": "DescribeTasks"}])
    launching, waiting = starting(cloud, run_seconds=0.1), cloud.popen("wait", token)
    for process, said in (
        (launching, b"dayfly: still trying to launch job on 'prod': "),
        (waiting, b"dayfly: still trying to see how "),
    ):
        assert process.stderr
        told = process.stderr.readline()
        assert told.startswith(said)
    cloud.change(faults=[])
    for process in (launching, waiting):
        code, _, err = cloud.finish(process)
        assert (code, "still trying" in err) == (0, False), err


def test_a_secret_that_does_not_exist_ends_the_job(cloud):
    code, _, err = run(cloud, "--secret", f"PASSWORD={NOWHERE}")
    assert code == 125
    assert said_in_one_sentence(err, "secret unavailable"), err


def test_a_stop_by_somebody_else_is_told_in_their_words(cloud):
    process = begun(cloud, lines=["x"], never_ends=True)
    [task] = cloud.tasks()
    why = "Stopped by ops: it costs too much"
    cloud.somebody("ecs", "StopTask", cluster="jobs", task=task["arn"], reason=why)
    code, out, err = cloud.finish(process)
    assert (code, out) == (130, "x\n")
    assert said_in_one_sentence(err, why), err


def test_credentials_that_expire_during_a_run_leave_the_job_and_say_so(cloud):
    process = begun(cloud, lines=["x"], never_ends=True)
    cloud.change(faults=[{"kind": "expired"}])
    code, _, err = cloud.finish(process)
    assert code == 125
    assert "expired" in err
    assert "aws sso login" in err
    assert "dayfly status job" in err
    cloud.change(faults=[])
    [task] = cloud.tasks()
    assert task["stopped"] is None
    assert cloud("cancel", "job")[0] == 0


def test_a_cluster_that_is_deleted_during_a_run_ends_the_watch(cloud):
    process = begun(cloud, never_ends=True)
    cloud.change(clusters=["default"])
    with at_once():
        code, _, err = cloud.finish(process)
    assert code == 125
    assert "cluster" in err
    assert "dayfly status job" in err


def test_output_that_may_not_be_read_any_more_is_told_and_the_job_goes_on(cloud):
    process = begun(cloud, lines=["x"] * 3, run_seconds=2)
    cloud.change(faults=[{"kind": "denied", "operation": "GetLogEvents"}])
    code, _, err = cloud.finish(process)
    assert (code, "Allow logs:GetLogEvents" in err, "dayfly logs job" in err) == (125, True, True)
    cloud.change(faults=[])
    assert cloud("logs", "job")[:2] == (0, "x\nx\nx\n")


def test_a_stop_that_is_not_allowed_is_no_stop(cloud):
    process = begun(cloud, never_ends=True)
    cloud.change(faults=[{"kind": "denied", "operation": "StopTask"}])
    cloud.interrupt(process)
    code, _, err = cloud.finish(process)
    assert (code, "Allow ecs:StopTask" in err, "may still run" in err) == (125, True, True)
    [task] = cloud.tasks()
    assert task["stopped"] is None


def test_a_key_that_another_machine_used_for_another_job_is_refused(cloud):
    assert run(cloud, "--key", "k", exit_code=1)[0] == 1
    code, out, err = run(cloud.elsewhere(), "--key", "k", exit_code=2)
    assert (code, out) == (125, "")
    assert said_in_one_sentence(err, "the key already has a job on AWS"), err
    assert len(cloud.tasks()) == 1


def test_a_log_group_that_is_deleted_during_a_run_is_told(cloud):
    process = begun(cloud, lines=["x"] * 6, run_seconds=3)
    cloud.until(lambda: cloud.asked("calls").get("logs.GetLogEvents", 0) > 3)
    cloud.somebody("logs", "DeleteLogGroup", logGroupName="/dayfly/jobs")
    code, out, err = cloud.finish(process)
    assert len(out) < 6 * 2, "the group went too late"
    assert code == 125
    assert "could not be passed on" in err


def test_no_capacity_twice_is_waited_out(opened):
    with opened(faults=[{**FULL, "first": 2}]) as cloud:
        assert run(cloud, exit_code=4)[0] == 4
        assert len(cloud.tasks()) == 1


def test_no_capacity_can_be_interrupted(opened):
    with opened(faults=[FULL]) as cloud:
        process = starting(cloud)
        cloud.until(lambda: cloud.asked("calls").get("ecs.RunTask", 0) > 1)
        cloud.interrupt(process)
        with at_once():
            code, _, err = cloud.finish(process)
        assert code == 130, err
        assert cloud.tasks() == []


async def test_no_capacity_for_ever_ends_at_the_deadline_of_the_launch(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example-key")
    async with Emulator(Knobs(faults=(Fault(**FULL),))) as emulator:
        session = Session()
        subnets = ("subnet-0123456789abcdef0",)
        await session.configure(
            Config(
                region="eu-west-1",
                cluster="jobs",
                subnets=subnets,
                execution_role="arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
                endpoint_url=emulator.url,
            )
        )
        services = Services(submitter=Submitter(session), observer=Observer(session))
        timing = Timing(launch_deadline=1.0, backoff_first=0.05, backoff_max=0.2)
        async with Jobs(services, provider="prod", timing=timing) as jobs:
            with at_once(), pytest.raises(Unavailable) as caught:
                await jobs.launch(JobSpec(image="x", command=tuple(emulate())))
        await session.close()
        assert caught.value.reason is Reason.NO_CAPACITY
        assert "tried for 1 s" in caught.value.message
        assert "Capacity is unavailable" in caught.value.message
        assert emulator.calls["ecs.RunTask"] > 3
        assert emulator.tasks() == []


def test_a_task_that_could_not_get_a_place_is_launched_again(cloud):
    said = {**NEVER, "stoppedReason": "Capacity is unavailable at this time. Please try again."}
    process = starting(cloud, fail_to_start=said)
    cloud.until(lambda: len(cloud.tasks()) > 1)
    cloud.interrupt(process)
    code, _, err = cloud.finish(process)
    # The first where it is stopped between two launches: it ended for want of room.
    assert code in {125, 130}, err
    assert "launched again" in err


@pytest.mark.parametrize("reference", [DATABASE, "secret://db"])
def test_a_secret_is_a_reference_all_the_way(opened, reference):
    """What of AWS's own keys is kept, shown or sent is looked for after every test here."""
    more = f'secrets = {{ db = "{DATABASE}" }}'
    with opened(more) as cloud:
        code, out, err = run(
            cloud, "--debug", "--output", "json", "--keep", "--name", "job",
            "--secret", f"PASSWORD={reference}", lines=["x"],
        )  # fmt: skip
        assert (code, json.loads(out)["state"]) == (0, "SUCCEEDED"), err
        calls = cloud.asked("calls")
        assert not [name for name in calls if name.startswith(("secretsmanager.", "ssm."))]
        sent = [members for name, members in cloud.asked("requests") if "Register" in name]
        [container] = sent[0]["containerDefinitions"]
        assert container["secrets"] == [{"name": "PASSWORD", "valueFrom": DATABASE}]


@pytest.mark.parametrize("command", ["run", "ps", "doctor"])
def test_a_failure_shows_no_credentials_either(cloud, command):
    """With the plugin's own log and every traceback."""
    cloud.change(faults=[{"kind": "bad_credentials"}])
    job = ["--image", "x", "--", "x"] if command == "run" else []
    code, out, err = cloud(command, "--on", "prod", "--debug", "--output", "json", *job)
    assert code != 0
    assert "token included in the request is invalid" in out + err


def test_debug_changes_no_exit_code(cloud):
    cloud.change(faults=[{"kind": "bad_credentials"}])
    assert cloud("run", *ON, "--debug", "--", "x")[0] == 125
