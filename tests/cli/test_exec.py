"""``dayfly exec``: a sandboxed command, its output, its code; steps from files; AWS."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from tests.crash.cloud import opened_cloud, running_emulator, script

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

LOCAL = ("exec", "--exec-env", "provider-ephemeral", "--provider", "local")
FREE = (*LOCAL, "--profile", "permissive")
STEP = """
steps:
  - name: check
    type: step.sandbox_exec
    config:
      exec_env: provider-ephemeral
      provider: local
      security_profile: permissive
      command: [sh, -c, "echo $WORD; echo err >&2; exit 4"]
      env: {WORD: no}
  - name: lenient
    type: step.sandbox_exec
    config:
      exec_env: provider-ephemeral
      provider: local
      security_profile: permissive
      command: ["false"]
      fail_on_error: false
"""


def test_output_and_code_are_the_commands_own(cli: Cli):
    answer = cli(*FREE, "-e", "A=b  c", "--", "sh", "-c", 'echo "$A"; echo err >&2; exit 7')
    assert (answer.code, answer.stdout) == (7, b"b  c\n")
    assert answer.stderr.endswith("err\n") or "err\n" in answer.stderr
    assert "no images" in answer.stderr


def test_json_is_one_document_with_the_output_in_it(cli: Cli):
    answer = cli(*FREE, "--output", "json", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert answer.code == 7
    document = answer.json
    assert document["notes"]
    assert document | {"notes": []} == {
        "exit_code": 7,
        "stdout": "out\n",
        "stderr": "err\n",
        "stdout_dropped": 0,
        "stderr_dropped": 0,
        "output_error": None,
        "state": "FAILED",
        "reason": "EXITED_NONZERO",
        "signal": None,
        "message": document["message"],
        "exec_env": "provider-ephemeral",
        "profile": "permissive",
        "notes": [],
        "dayfly_exit_code": 7,
    }


def test_a_profile_that_cannot_be_honoured_is_refused_or_said_to_be_left_out(cli: Cli):
    refused = cli(*LOCAL, "--", "echo", "hi")
    assert (refused.code, refused.stdout) == (125, b"")
    assert "cannot honour profile 'strict'" in refused.stderr
    run = cli(*LOCAL, "--profile-best-effort", "--", "echo", "hi")
    assert (run.code, run.stdout) == (0, b"hi\n")
    assert "without this of profile 'strict': " in run.stderr
    assert "no network" in run.stderr


def test_a_step_of_a_file_and_options_that_win_over_it(cli: Cli):
    (cli.directory / "app.yaml").write_text(STEP, encoding="utf-8")
    answer = cli("exec", "-f", "app.yaml", "--step", "check")
    assert (answer.code, answer.stdout) == (4, b"no\n")
    answer = cli("exec", "-f", "app.yaml", "--step", "check", "-e", "WORD=yes")
    assert (answer.code, answer.stdout) == (4, b"yes\n")
    answer = cli("exec", "-f", "app.yaml", "--step", "check", "--", "echo", "other")
    assert (answer.code, answer.stdout) == (0, b"other\n")
    answer = cli("exec", "-f", "app.yaml", "--step", "lenient")
    assert answer.code == 0
    assert "fail_on_error: false" in answer.stderr
    assert cli("exec", "-f", "app.yaml").code == 125


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "the command is empty"),
        (("--exec-env", "provider-ephemeral", "--", "true"), "none is named"),
        (("--exec-env", "provider-ephemeral", "--provider", "no", "--", "true"), "not configured"),
        (("--exec-env", "ephemeral", "--", "true"), "no provider for Argo"),
        (("--exec-env", "remote", "--", "true"), "[runners.remote]"),
        (("--profile", "lax", "--", "true"), "strict, standard, permissive"),
        (("-f", "none.yaml"), "none.yaml"),
    ],
)
def test_what_is_missing_is_one_sentence_and_125(cli: Cli, argv, said):
    answer = cli("exec", *argv)
    assert answer.code == 125
    assert said in answer.stderr


def test_a_runner_of_the_configuration_is_checked(cli: Cli):
    (cli.directory / "dayfly.toml").write_text(
        '[runners.remote]\naddress = "h:1"\ntoken = "pasted-secret"\n', encoding="utf-8"
    )
    answer = cli("exec", "--exec-env", "remote", "--", "true")
    assert answer.code == 125
    assert "runners.remote.token" in answer.stderr
    assert "pasted-secret" not in answer.stderr


def test_a_timeout_is_124(cli: Cli):
    answer = cli(*FREE, "--timeout", "1s", "--", "sleep", "30")
    assert answer.code == 124
    assert "TIMED_OUT" in answer.stderr


def test_ctrl_c_stops_it_and_waits(cli: Cli):
    mark = cli.directory / "stopped"
    line = f"trap 'echo > {mark}; exit 1' TERM; echo begun; while :; do sleep 0.1; done"
    process = cli.popen(*FREE, "--", "sh", "-c", line, stdout=-1)
    assert process.stdout
    assert process.stdout.readline() == b"begun\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert mark.exists()


def test_a_reader_that_goes_away_stops_it(cli: Cli):
    process = cli.popen(*FREE, "--", "yes", stdout=-1)
    assert process.stdout
    assert process.stdout.readline() == b"y\n"
    process.stdout.close()
    assert process.wait(20) == 141
    assert cli("ps", "--output", "json").json["jobs"] == []


def test_output_is_bounded_where_that_is_asked_for(cli: Cli):
    answer = cli(*FREE, "--max-output", "1m", "--", "head", "-c", "3000000", "/dev/zero")
    assert answer.code == 0
    assert len(answer.stdout) < 1_100_000
    assert b"[dayfly: output cut here, after 1048576 bytes]" in answer.stdout
    assert "beyond --max-output" in answer.stderr


def test_on_aws(tmp_path):
    """A profile that ECS cannot honour is refused; what is left out is said, and all else runs."""
    on = ("exec", "--exec-env", "provider-ephemeral", "--provider", "prod", "--image", "x")
    with running_emulator() as url, opened_cloud(url, tmp_path / "machine") as cloud:
        code, out, err = cloud(*on, "--", "true")
        assert (code, out) == (125, "")
        assert "cannot honour profile 'strict'" in err
        assert not cloud.told("ecs.RunTask")
        asked = script(lines=["one", "two"], exit_code=3)
        code, out, err = cloud(*on, "--profile-best-effort", "--", *asked)
        assert (code, out) == (3, "one\ntwo\n")
        assert "aws runs it without this of profile 'strict': " in err
        assert "a limit of memory" not in err
        assert cloud(*on, "--profile", "permissive", "--", *script(lines=["hi"]))[:2] == (0, "hi\n")
        begun = time.monotonic()
        slow = script(run_seconds=60)
        code, _, err = cloud(*on, "--profile", "permissive", "--timeout", "2s", "--", *slow)
        assert (code, "TIMED_OUT" in err) == (124, True)
        assert time.monotonic() - begun < 40
