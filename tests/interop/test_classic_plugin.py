"""What a plugin with the classic services alone can do, through the whole of dayfly."""

from __future__ import annotations

import subprocess
import time

import pytest

pytestmark = pytest.mark.timeout(600)  # The first of them may have to build the programs.


@pytest.fixture(params=["go", "python"])
def plugin(request):
    """The same provider twice: on HashiCorp's go-plugin, and on our SDK."""
    if request.param == "go":
        return request.getfixturevalue("go_plugin")()
    return request.getfixturevalue("python_plugin")("classic", "classic_plugin.py")


@pytest.fixture
def run(cli, plugin):
    def run(*argv, **options):
        return cli("run", "--on", plugin, "--image", "i", *argv, **options)

    return run


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_exit_codes(run, code):
    answer = run("--", "sh", "-c", f"exit {code}")
    assert answer.code == code
    # Its plugin cannot remove anything, which is no news after each run.
    assert "removed" not in answer.stderr


def test_output_goes_where_the_job_sent_it(run):
    answer = run("--", "sh", "-c", "echo out; echo err >&2")
    assert answer.stdout == b"out\n"
    assert answer.stderr.splitlines()[0] == "err"


def test_argv_and_environment_arrive_whole(run):
    words = ["it's", 'a "b" $HOME', "*", "", "two\nlines"]
    answer = run("--env", "A=x y", "--", "sh", "-c", 'printf "%s|" "$A" "$@"', "sh", *words)
    assert answer.text == "|".join(["x y", *words, ""])


def test_a_big_log_arrives_whole(run):
    """2.7 MB in thousands of chunks, and lines as long as 1 MiB."""
    answer = run("--", "sh", "-c", "seq 1 400000; head -c 1048576 /dev/zero | tr '\\0' x; echo")
    numbers = b"".join(b"%d\n" % n for n in range(1, 400_001))
    assert answer.stdout == numbers + b"x" * 2**20 + b"\n"


def test_output_is_live(cli, plugin):
    process = cli.popen(
        *("run", "--on", plugin, "--image", "i"),
        *("--", "sh", "-c", "echo first; sleep 3; echo last; exit 6"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    began = time.monotonic()
    assert process.stdout.readline() == b"first\n"
    waited = time.monotonic() - began
    assert process.stdout.read() == b"last\n"
    assert time.monotonic() - began - waited > 2
    assert process.wait(10) == 6


@pytest.mark.parametrize(
    "options",
    [
        ["--memory", "64m"],
        ["--workdir", "/tmp"],
        ["--label", "a=b"],
        ["--timeout", "5s"],
    ],
)
def test_what_the_classic_contract_cannot_say_is_refused_by_name(run, cli, options):
    answer = run(*options, "--", "touch", str(cli.directory / "ran"))
    assert answer.code == 125
    assert options[0] in answer.stderr or "timeout" in answer.stderr
    assert not (cli.directory / "ran").exists()
