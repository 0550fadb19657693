"""``dayfly run`` through the local provider: real processes from end to end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest


@pytest.mark.parametrize("code", [0, 1, 42, 124, 137])
def test_it_exits_with_the_jobs_own_code(cli, code):
    assert cli("run", "--", "sh", "-c", f"exit {code}").code == code


def test_output_is_untouched_and_each_on_its_own_stream(cli):
    answer = cli("run", "--", "sh", "-c", r"printf 'a\0\377b'; printf 'to stderr' >&2")
    assert answer.stdout == b"a\0\377b"
    assert answer.stderr == "to stderr"


def test_argv_arrives_as_it_is_with_and_without_two_hyphens(cli):
    words = ["-n", "a b", "", "$HOME", "it's", 'q"', "new\nline", "ünï", "--on", "x"]
    answer = cli("run", "printf", "%s|", *words)
    assert answer.text == "".join(f"{word}|" for word in words)
    assert cli("run", "--", "printf", "%s|", *words).text == answer.text


def test_environment(cli):
    (cli.directory / "file").write_text("A=file\nB=file\n")
    answer = cli(
        *("run", "--env-file", "file", "-e", "B=flag", "-e", "HERE"),
        *("--", "sh", "-c", 'echo "$A $B $HERE"'),
        env={"HERE": "passed"},
    )
    assert answer.text == "file flag passed\n"


def test_a_secret_arrives_and_is_printed_by_nobody_else(cli):
    answer = cli(
        *("run", "--secret", "TOKEN=env:MY_TOKEN", "--keep", "-o", "json"),
        *("--", "sh", "-c", 'test "$TOKEN" = hunter2'),
        env={"MY_TOKEN": "hunter2"},
    )
    assert answer.code == 0, answer.stderr
    assert b"hunter2" not in answer.stdout
    for path in (cli.directory / "state").rglob("*"):
        if path.is_file():
            assert b"hunter2" not in path.read_bytes(), path


def test_what_a_provider_cannot_honour_is_refused_with_the_flag_to_leave_out(cli):
    answer = cli("run", "--image", "alpine", "--", "touch", "made")
    assert answer.code == 125
    assert "cannot honour image" in answer.stderr
    assert "--image" in answer.stderr
    assert not (cli.directory / "made").exists()


def test_a_timeout_stops_the_job_and_is_124(cli):
    began = time.monotonic()
    answer = cli("run", "--timeout", "1s", "--grace", "1s", "--", "sleep", "60")
    assert answer.code == 124
    assert "timed out" in answer.stderr
    assert time.monotonic() - began < 30


def test_json_is_one_document_on_stdout_and_the_jobs_stdout_is_on_stderr(cli):
    answer = cli("run", "-o", "json", "--name", "three", "--", "sh", "-c", "echo out; exit 3")
    assert answer.code == 3
    assert answer.stderr == "out\n"
    result = answer.json
    assert set(result) == {
        *("name", "provider", "key", "handle", "state", "exit_code", "exit_code_source"),
        *("signal", "reason", "message", "evidence", "created", "started", "ended"),
        *("adopted", "notes", "kept", "dayfly_exit_code"),
    }
    assert (result["name"], result["state"], result["exit_code"]) == ("three", "FAILED", 3)
    assert result["reason"] == "EXITED_NONZERO"
    assert result["kept"] is False


def test_nothing_is_left_after_it_unless_kept(cli):
    cli("run", "--", "true")
    assert cli("ps", "--on", "local", "--all", "-o", "json").json["jobs"] == []
    cli("run", "--keep", "--name", "kept", "--", "echo", "here")
    listed = cli("ps", "--on", "local", "--all", "-o", "json").json["jobs"]
    assert [job["name"] for job in listed] == ["kept"]
    assert cli("logs", "kept").text == "here\n"


def test_the_same_key_is_the_same_job(cli):
    argv = ("run", "--keep", "--key", "k1", "--", "sh", "-c", "echo x >> count; echo out")
    assert [cli(*argv).text for _ in range(3)] == ["out\n"] * 3
    assert (cli.directory / "count").read_text() == "x\n"
    other = cli("run", "--key", "k1", "--", "echo", "another job")
    assert other.code == 125
    assert other.stdout == b""


def test_megabytes_come_out_whole(cli):
    answer = cli("run", "--", "sh", "-c", "seq 1 400000")
    assert answer.stdout == b"".join(b"%d\n" % n for n in range(1, 400_001))


def test_a_reader_that_goes_away_stops_the_job(cli):
    job = cli.popen("run", "--name", "endless", "--", "yes", stdout=subprocess.PIPE)
    assert job.stdout.read(4) == b"y\ny\n"
    job.stdout.close()
    assert job.wait(15) == 141
    assert cli("ps", "-o", "json").json["jobs"] == []


def test_a_reader_that_is_slow_gets_everything(cli):
    with cli.popen("run", "--", "seq", "1", "300000", stdout=subprocess.PIPE) as job:
        time.sleep(1.5)
        got = job.stdout.read()
    assert job.returncode == 0
    assert got == b"".join(b"%d\n" % n for n in range(1, 300_001))


def test_output_to_a_full_disk_does_not_stop_the_job_and_is_said(cli):
    with Path("/dev/full").open("wb") as full:
        job = cli.popen(
            *("run", "--name", "full", "--", "sh", "-c", "echo out; sleep 0.5; touch done"),
            stdout=full,
            stderr=subprocess.PIPE,
        )
        said = job.communicate(timeout=15)[1]
    assert job.returncode == 125
    assert b"No space left" in said
    assert (cli.directory / "done").exists()
    assert cli("logs", "full").text == "out\n"


TRAP = "trap 'echo stopping; exit 7' TERM; echo ready; while :; do sleep 0.1; done"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_job_and_waits_for_its_last_words(cli, number, code):
    job = cli.popen(
        *("run", "--keep", "--name", "trapped", "--", "sh", "-c", TRAP),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert job.stdout.readline() == b"ready\n"
    os.kill(job.pid, number)
    out, said = job.communicate(timeout=15)
    assert out == b"stopping\n"
    assert b"stopping trapped" in said
    assert job.returncode == code
    assert cli("status", "trapped", "-o", "json").json["state"] == "CANCELLED"


def test_a_second_ctrl_c_leaves_at_once_and_says_how_to_come_back(cli):
    job = cli.popen(
        *("run", "--name", "stubborn", "--grace", "60s"),
        *("--", "sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.1; done"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    pid = int(job.stdout.readline())
    os.kill(job.pid, signal.SIGINT)
    assert b"stopping stubborn" in job.stderr.readline()
    os.kill(job.pid, signal.SIGINT)
    said = job.communicate(timeout=20)[1].decode()  # Its grace is longer by far.
    os.kill(pid, signal.SIGKILL)
    assert job.returncode == 130
    assert "dayfly status stubborn" in said
    assert "Traceback" not in said


def test_ctrl_c_during_the_start_leaves_no_job(cli):
    for pause in (0, 0.05, 0.15, 0.25):
        job = cli.popen("run", "--", "sleep", "60", stderr=subprocess.PIPE)
        while not psutil.Process(job.pid).children():  # Until the plugin starts.
            time.sleep(0.005)
        time.sleep(pause)
        os.kill(job.pid, signal.SIGINT)
        said = job.communicate(timeout=15)[1]
        assert b"Traceback" not in said, said.decode()
        assert job.returncode == 130
    # On a busy machine a launch that was called off may not be answered before dayfly leaves.
    for left in cli("ps", "-o", "json").json["jobs"]:
        assert (left["handle"], "not answered" in left["warning"]) == (None, True)
    assert cli("ps", "--on", "local", "-o", "json").json["jobs"] == []
