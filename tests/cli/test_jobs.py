"""Commands on jobs that run already, through the local provider."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time

import psutil
import pytest


@pytest.fixture
def ended(cli):
    """A job that printed three lines and failed, kept."""
    cli("run", "--keep", "--name", "ended", "--", "sh", "-c", "echo a; echo b; echo c >&2; exit 3")
    return cli


@pytest.fixture
def running(cli):
    """A job that runs for a minute."""
    answer = cli("run", "-d", "--name", "running", "--", "sh", "-c", "echo up; sleep 60")
    assert answer.text == "running\n"
    assert "dayfly logs -f running" in answer.stderr
    return cli


def test_detached_jobs_go_on_and_are_found_by_name_prefix_and_latest(running):
    for selector in ("running", "runn", "@latest"):
        found = running("status", selector, "-o", "json").json
        assert (found["name"], found["state"]) == ("running", "RUNNING")
    assert "running" in running("status", "running").text


def test_a_key_that_was_launched_before_is_said_to_be(running):
    argv = ("run", "-d", "--name", "again", "--key", "k", "--", "true")
    assert "launched before" not in running(*argv).stderr
    assert "again was launched before under this key" in running(*argv).stderr


def test_a_token_works_on_a_machine_that_never_saw_the_job(running):
    token = running("status", "running", "-o", "json").json["handle"]
    elsewhere = running.elsewhere("other")
    env = {"DAYFLY_STATE_DIR": str(running.directory / "state")}
    assert token in running("status", "running").text
    (running.directory / "state" / "journal.sqlite3").rename(running.directory / "journal.moved")
    assert elsewhere("status", token, "-o", "json", env=env).json["state"] == "RUNNING"
    assert elsewhere("logs", token, env=env).text == "up\n"
    stopped = elsewhere("cancel", token, "-o", "json", env=env).json
    assert [job["state"] for job in stopped] == ["CANCELLED"]
    assert elsewhere("rm", token, env=env).code == 0


def test_a_token_is_reached_through_the_configuration_of_its_plugin(running):
    token = running("status", "running", "-o", "json").json["handle"]
    elsewhere = running.elsewhere("other")
    there = f'plugin = "local"\nstate_dir = "{running.directory / "state"}"\n'
    config = elsewhere.directory / "dayfly.toml"
    config.write_text(f"[providers.a]\n{there}")
    assert elsewhere("status", token, "-o", "json").json["state"] == "RUNNING"
    config.write_text(f"[providers.a]\n{there}[providers.b]\n{there}")
    answer = elsewhere("status", token)
    assert answer.code == 125
    assert "a, b" in answer.stderr
    assert "--on" in answer.stderr
    assert elsewhere("status", "--on", "b", token, "-o", "json").json["state"] == "RUNNING"
    config.write_text(f'default = "b"\n[providers.a]\n{there}[providers.b]\n{there}')
    assert elsewhere("status", token, "-o", "json").json["state"] == "RUNNING"


def test_an_unknown_or_ambiguous_name_is_explained(cli):
    assert cli("status", "nosuch").code == 125
    for name in ("twin-a", "twin-b"):
        cli("run", "--keep", "--name", name, "--", "true")
    answer = cli("status", "twin")
    assert answer.code == 125
    assert "twin-a" in answer.stderr
    assert "twin-b" in answer.stderr


def test_logs(ended):
    answer = ended("logs", "ended")
    assert (answer.stdout, answer.stderr) == (b"a\nb\n", "c\n")
    assert ended("logs", "ended", "--tail", "1").stdout == b"b\n"
    assert ended("logs", "ended", "--since", "1h").stdout == b"a\nb\n"
    stamped = ended("logs", "ended", "-t").text.splitlines()
    assert [line.split(" ", 1)[1] for line in stamped] == ["a", "b"]
    assert all(line.startswith("20") for line in stamped)


def test_logs_as_json_are_an_object_for_each_line(ended):
    lines = list(map(json.loads, ended("logs", "ended", "-o", "json").text.splitlines()))
    assert {line["stream"] for line in lines} == {"stdout", "stderr"}
    assert [line["text"] for line in lines if line["stream"] == "stdout"] == ["a", "b"]
    assert base64.b64decode(lines[0]["base64"]).decode() == lines[0]["text"]


def test_logs_follow_until_the_end_and_ctrl_c_leaves_the_job_alone(running):
    reader = running.popen("logs", "-f", "running", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert reader.stdout.readline() == b"up\n"
    os.kill(reader.pid, signal.SIGINT)
    assert reader.wait(10) == 130
    assert b"Traceback" not in reader.stderr.read()
    assert running("status", "running", "-o", "json").json["state"] == "RUNNING"


def test_wait_exits_as_run_would_have_and_ctrl_c_leaves_the_job_alone(cli):
    cli("run", "-d", "--name", "short", "--", "sh", "-c", "sleep 0.3; exit 5")
    cli("run", "-d", "--name", "good", "--", "true")
    answer = cli("wait", "good", "short", "-o", "json")
    assert answer.code == 5
    assert [job["exit_code"] for job in answer.json] == [0, 5]
    assert cli("wait", "good").code == 0

    cli("run", "-d", "--name", "long", "--", "sleep", "60")
    assert cli("wait", "--timeout", "1s", "long").code == 125
    waiting = cli.popen("wait", "long", stderr=subprocess.PIPE)
    while not psutil.Process(waiting.pid).children():  # Until the plugin starts.
        time.sleep(0.01)
    os.kill(waiting.pid, signal.SIGINT)
    assert waiting.wait(10) == 130
    assert cli("status", "long", "-o", "json").json["state"] == "RUNNING"


def test_cancel_confirms_and_leaves_an_ended_job_as_it_is(running):
    answer = running("cancel", "running")
    assert answer.code == 0
    assert "running: cancelled" in answer.text
    assert running("cancel", "running", "-o", "json").json[0]["state"] == "CANCELLED"


def test_one_job_that_fails_does_not_stop_the_others(ended):
    answer = ended("rm", "ended", "-o", "json")
    assert answer.json == [{"name": "ended", "provider": "local", "removed": True}]
    ended("run", "-d", "--name", "busy", "--", "sleep", "60")
    ended("run", "--keep", "--name", "old", "--", "true")
    answer = ended("rm", "busy", "old", "-o", "json")
    assert answer.code == 125
    assert answer.json[0]["error"]["code"] == "FAILED_PRECONDITION"
    assert answer.json[1]["removed"] is True
    assert ended("rm", "--force", "busy").code == 0


def test_ps_lists_what_runs_and_with_all_what_ended(running):
    running("run", "--keep", "--name", "ended", "--", "true")
    for on in ((), ("--on", "local")):
        listed = running("ps", *on, "-o", "json").json
        assert [job["name"] for job in listed["jobs"]] == ["running"]
        assert listed["errors"] == []
        everything = running("ps", *on, "--all", "-o", "json").json["jobs"]
        assert {job["name"] for job in everything} == {"running", "ended"}
    assert running("ps").text.splitlines()[1].startswith("running")


def test_ps_sees_the_end_of_a_job_that_nobody_watched(cli):
    cli("run", "-d", "--name", "gone", "--", "true")
    cli("wait", "gone")
    assert cli("ps", "-o", "json").json["jobs"] == []
    assert cli("ps", "-a", "-o", "json").json["jobs"][0]["state"] == "SUCCEEDED"


def test_prune_removes_what_ended_and_a_dry_run_nothing(ended):
    assert len(ended("prune", "--dry-run", "-o", "json").json["leftovers"]) == 1
    assert ended("logs", "ended").code == 0
    assert len(ended("prune", "-o", "json").json["leftovers"]) == 1
    assert ended("prune", "-o", "json").json["leftovers"] == []
    assert ended("ps", "--on", "local", "--all", "-o", "json").json["jobs"] == []
    assert ended("ps", "--all", "-o", "json").json["jobs"] == []


def test_plan_shows_requests_and_starts_nothing(cli):
    answer = cli("plan", "-o", "json", "--", "touch", "made")
    assert answer.code == 0
    for call in answer.json["calls"]:
        assert call["call"]
        json.loads(call["request"])
    assert cli("plan", "--", "touch", "made").code == 0
    assert not (cli.directory / "made").exists()
    assert cli("plan", "--image", "x", "--", "true").code == 125


def test_describe(cli):
    described = cli("describe", "-o", "json").json
    assert described["provider"] == "local"
    assert "command" in described["honours"]
    assert "--timeout" in cli("describe").text


def test_doctor_finds_nothing_wrong_and_then_something(cli):
    healthy = cli("doctor", "-o", "json")
    assert healthy.code == 0, healthy.text
    assert healthy.json["ok"] is True
    assert {"configuration", "plugin", "start", "manifest"} <= {
        check["name"] for check in healthy.json["checks"]
    }
    (cli.directory / "dayfly.toml").write_text('[providers.prod]\nplugin = "nosuch"\n')
    broken = cli("doctor", "--on", "prod", "-o", "json")
    assert broken.code == 1
    assert [c["name"] for c in broken.json["checks"] if c["outcome"] == "FAILED"] == ["plugin"]
    assert "FAILED" in cli("doctor", "--on", "prod").text


@pytest.mark.docker
def test_what_is_gone_already_counts_as_removed(cli):
    cli(
        "run",
        "-d",
        "--name",
        "gone",
        "--on",
        "docker",
        "--image",
        "dayfly-test:latest",
        "--",
        "true",
    )
    assert cli("wait", "gone").code == 0
    token = cli("status", "gone", "-o", "json").json["handle"]
    assert cli("rm", "gone").code == 0
    for journal in (cli.directory / "state").glob("journal.sqlite3*"):
        journal.unlink()  # as on a machine that never saw the job
    assert cli("rm", token).code == 0
    assert cli("rm", "--force", token).code == 0
