"""A plugin written in Go: its failures, its modes and its end, through the whole of dayfly."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pytest
from tests.interop.processes import group_of, members

from dayfly.contract import names

pytestmark = pytest.mark.timeout(600)  # The first of them may have to build the programs.

#: Rules that a provider which keeps its jobs in its own memory cannot follow.
IN_MEMORY = (
    "a-handle-survives-as-a-token",
    "a-job-outlives-its-plugin",
    "cancel-after-the-plugin-was-killed",
)


def run(cli, plugin, *argv, fault=""):
    options = ("--env", f"FAULT={fault}") if fault else ()
    return cli("run", "--on", plugin, "--image", "i", *options, "--", *argv)


@pytest.mark.parametrize("fault", ["panic-in-run", "panic-in-status", "panic-in-logs"])
def test_a_death_in_the_middle_of_a_call_is_told_once_with_its_last_words(cli, go_plugin, fault):
    answer = run(cli, go_plugin(), "echo", "out", fault=fault)
    assert answer.code == 125
    assert "plugin 'go-scripted' (pid " in answer.stderr
    # Of the calls that it left unanswered, whichever is seen to fail first is told of.
    assert answer.stderr.count("exited with code 2 and could not be asked ") == 1
    assert answer.stderr.count("panic: my last words, in ") == 1


def test_a_panic_is_told_however_long_its_trace(cli, go_plugin):
    answer = run(cli, go_plugin(), "true", fault="panic-deep")
    assert answer.code == 125
    assert "panic: my last words, deep down" in answer.stderr


def test_an_error_without_a_code_is_told_as_it_is(cli, go_plugin):
    answer = run(cli, go_plugin(), "true", fault="plain-error-in-run")
    assert answer.code == 125
    assert "plugin 'go-scripted' to run a job: the cluster is on fire" in answer.stderr


def test_an_error_with_a_code_keeps_its_class(cli, go_plugin):
    document = cli(
        *("run", "--on", go_plugin(), "--image", "i", "--output", "json"),
        *("--env", "FAULT=refused-in-run", "--", "true"),
    )
    assert document.code == 125
    assert document.json["error"]["code"] == "PERMISSION_DENIED"


def test_a_job_that_is_larger_than_a_message_may_be_is_refused_at_once(cli, go_plugin, tmp_path):
    """Go's gRPC takes 4 MiB, and says "exhausted" to more; the same again would not be less."""
    options = ["--output", "json"]
    for number in range(6):
        large = tmp_path / f"large-{number}.env"
        lines = [f"LARGE_{number}_{line}={'x' * 100_000}" for line in range(8)]
        large.write_text("\n".join(lines))
        options += ["--env-file", str(large)]
    answer = cli("run", "--on", go_plugin(), "--image", "i", *options, "--", "true")
    assert answer.code == 125
    assert answer.json["error"]["code"] == "FAILED_PRECONDITION"
    assert "to run a job: the request is larger than it takes" in answer.json["error"]["message"]
    assert "vs. 4194304" in answer.json["error"]["message"]


def test_one_megabyte_on_its_own_stdout_and_stderr_stops_nothing(cli, go_plugin):
    answer = run(cli, go_plugin(), "echo", "out", fault="prints")
    assert (answer.code, answer.stdout) == (0, b"out\n")
    assert "xxxx" not in answer.stderr


def test_a_failure_without_a_code_is_not_given_one(cli, go_plugin):
    answer = run(cli, go_plugin(), "sh", "-c", "exit 4", fault="failed-without-code")
    assert answer.code == 125
    assert "exit code unknown" in answer.stderr


def test_a_state_that_nobody_knows_is_not_taken_for_an_end(cli, go_plugin):
    answer = run(cli, go_plugin(), "true", fault="strange-state")
    assert answer.code == 125
    assert "exit code unknown" in answer.stderr


def test_output_that_cannot_be_read_is_an_error_and_not_output(cli, go_plugin):
    answer = run(cli, go_plugin(), "sh", "-c", "exit 4", fault="no-logs")
    assert (answer.code, answer.stdout) == (4, b"")
    assert "you may not read logs" in answer.stderr


def test_a_configuration_that_it_refuses(cli, go_plugin):
    go_plugin()
    table = '[providers.strict]\nplugin = "go-scripted"\nrefuse = "no region"\n'
    (cli.directory / "dayfly.toml").write_text(table)
    answer = run(cli, "strict", "true")
    assert answer.code == 125
    assert "the configuration is refused: no region" in answer.stderr


def interrupted(cli, plugin):
    """``dayfly run`` after a Ctrl-C: its exit code, and what it said."""
    process = cli.popen(
        *("run", "--on", plugin, "--image", "i", "--", "sh", "-c", "echo started; sleep 9"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"started\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    return process.returncode, said.decode(), time.monotonic() - began


def test_ctrl_c_stops_a_job_where_the_canceler_is_served(cli, go_plugin):
    code, said, seconds = interrupted(cli, go_plugin("canceler"))
    assert code == 130
    assert "cancelled" in said
    assert seconds < 5


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("none", "cannot stop jobs: its plugin does not serve that"),
        ("stub-canceler", "JobCanceler"),
    ],
)
def test_ctrl_c_says_so_where_the_job_cannot_be_stopped(cli, go_plugin, mode, reason):
    code, said, _ = interrupted(cli, go_plugin(mode))
    assert code != 0
    assert reason in said
    assert "may still run" in said


def test_a_timeout_needs_a_canceler(cli, go_plugin):
    job = ("--image", "i", "--timeout", "1s", "--", "sleep", "8")
    kept = cli("run", "--on", go_plugin("canceler"), *job)
    assert (kept.code, "timed out" in kept.stderr) == (124, True)
    refused = cli("run", "--on", go_plugin(name="go-plain"), *job)
    assert refused.code == 125
    assert "its plugin cannot stop jobs" in refused.stderr


def test_a_timeout_that_a_stub_cannot_keep_is_told_when_it_is_up(cli, go_plugin):
    """Nothing but a stop shows that there is none behind what the plugin announces."""
    answer = cli(
        *("run", "--on", go_plugin("stub-canceler"), "--image", "i"),
        *("--timeout", "1s", "--", "sleep", "9"),
    )
    assert answer.code == 125  # 124 says that it was stopped.
    assert "was not stopped when its timeout of 1 s had passed: " in answer.stderr
    assert "it does not serve workflow.plugin.external.iac.IaCProviderJobCanceler" in answer.stderr
    assert "It goes on; stop it at the provider itself." in answer.stderr


def test_a_plugin_that_ignores_shutdown_is_killed_with_its_group(cli, go_plugin):
    place = cli.directory / "plugins" / go_plugin("deaf")
    process = cli.popen(
        *("run", "--on", "go-scripted", "--image", "i", "--", "sh", "-c", "echo started; sleep 1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout.readline() == b"started\n"
    group = group_of(place)
    assert group
    assert members(group)
    assert process.wait(15) == 0
    assert members(group) == []


def test_the_conformance_kit_passes_what_a_classic_plugin_can_do(cli, go_plugin):
    go_plugin("canceler")
    manifest = cli.directory / "plugins" / "go-scripted" / "plugin.json"
    served = [names.REQUIRED, names.RUNNER, names.CANCELER]
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"iacServices": served}))
    deviations = [word for rule in IN_MEMORY for word in ("--deviation", f"{rule}=in memory")]
    process = cli.popen(
        *("conformance", "go-scripted", "--image", "i", "--job-seconds", "20", *deviations),
        *("--output", "json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.communicate(timeout=180)
    rules = json.loads(out)["rules"]
    failed = {rule["rule"]: rule["detail"] for rule in rules if rule["outcome"] == "failed"}
    assert failed == {}, err
    passed = [rule for rule in rules if rule["outcome"] == "passed"]
    assert len(passed) >= 30
    # Nothing is skipped for another reason than what the classic contract lacks.
    skipped = {rule["detail"].split(":")[0] for rule in rules if rule["outcome"] == "skipped"}
    assert skipped == {"not served", "not honoured"}


def test_a_running_go_plugin_is_reattached_and_left_running(cli, go_plugin, programs):
    """As Terraform's hosts do it: a plugin somebody else started, found by its socket."""
    go_plugin()
    with subprocess.Popen(
        [programs.provider, cli.directory],
        env={**cli.env, "WORKFLOW_PLUGIN": "workflow-external-plugin-v1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            _, _, network, path, protocol, *_ = process.stdout.readline().split("|")
            address = {"Network": network, "String": path}
            entry = {"Protocol": protocol, "Pid": process.pid, "Addr": address}
            running = {"DAYFLY_REATTACH_PLUGINS": json.dumps({"go-scripted": entry})}
            for _ in range(2):
                job = ("--image", "i", "--", "sh", "-c", "echo hi; exit 3")
                answer = cli("run", "--on", "go-scripted", *job, env=running)
                assert (answer.code, answer.stdout) == (3, b"hi\n")
                assert process.poll() is None
        finally:
            process.kill()
