"""Sandboxes across languages: a client in Go at our agent, our client at an agent in Go."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from tests.interop.processes import left_over
from tests.sandbox.remote_agent import SECRET, TOKEN, Network, running_agent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Answer, Cli
    from tests.interop.building import Programs

pytestmark = pytest.mark.timeout(600)  # The first of them may have to build the programs.

IMAGE = "dayfly-test:latest"


@pytest.fixture(scope="module")
def ask(
    programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., dict[str, Any]]]:
    """The Go client's question to our agent, and what it saw."""
    with running_agent(tmp_path_factory.mktemp("agent"), Network()) as agent:

        def put(*argv: str, token: str = TOKEN, leave: bool = False, **fields: Any) -> Any:
            request = {"image": IMAGE, "command": argv} | fields
            words = [programs.exec_client, agent.runner.address, agent.runner.ca, token]
            done = subprocess.run(
                [*words, *(["leave"] if leave else [])],
                input=json.dumps(request),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            seen = json.loads(done.stdout)
            for stream in ("stdout", "stderr"):
                seen[stream] = base64.b64decode(seen[stream] or "")
            return seen

        yield put


@pytest.mark.docker
def test_a_go_client_gets_streams_and_code_from_our_agent(ask):
    env = {"PLAIN": "a  b", "TOKEN": "secret://ci/token"}
    script = 'pwd; echo "$PLAIN $TOKEN $1"; echo err >&2; exit 7'
    seen = ask("sh", "-c", script, "sh", "it's", env=env, workdir="/tmp", profile="standard")
    assert seen["stdout"] == f"/tmp\na  b {SECRET} it's\n".encode()
    assert (seen["stderr"], seen["code"], seen["error"]) == (b"err\n", 7, "")


@pytest.mark.docker
@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"token": "x" * 32}, "Unauthenticated", "token is missing or wrong"),
        ({"image": "alpine"}, "PermissionDenied", "'alpine' is not among those"),
        ({"image": ""}, "InvalidArgument", "image is empty"),
        ({"profile": "lax"}, "InvalidArgument", "strict, standard, permissive"),
        ({"env": {"A": "secret://prod/token"}}, "PermissionDenied", "does not give away"),
    ],
)
def test_a_go_client_learns_why_our_agent_refuses(ask, changes, code, said):
    seen = ask("true", **changes)
    assert (seen["error"], seen["code"], seen["stdout"]) == (code, None, b"")
    assert said in seen["message"]


@pytest.mark.docker
def test_a_go_client_that_goes_away_stops_its_command(ask):
    mark = f"go-{uuid.uuid4().hex}"
    script = "echo begun; trap 'exit 9' TERM; while :; do sleep 0.1; done"
    assert ask("sh", "-c", script, mark, leave=True)["stdout"] == b"begun\n"
    deadline = time.monotonic() + 20
    while mark in _running():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def run(cli: Cli, programs: Programs) -> Iterator[Callable[..., Answer]]:
    """``dayfly exec`` on an agent in Go."""
    ca = trustme.CA()
    own = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(cli.directory / "ca.pem")
    own.private_key_and_cert_chain_pem.write_to_path(cli.directory / "own.pem")
    argv = [programs.exec_agent, "own.pem", "own.pem", TOKEN]
    with subprocess.Popen(argv, cwd=cli.directory, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        (cli.directory / "token").write_text(TOKEN)
        (cli.directory / "dayfly.toml").write_text(
            f'[runners.go]\naddress = "{address}"\ntoken = "file:{cli.directory}/token"\n'
            f'ca = "{cli.directory}/ca.pem"\n'
        )
        yield lambda *words: cli("exec", "--exec-env", "go", *words)
        process.kill()


def test_our_client_runs_a_command_on_an_agent_in_go(run):
    script = 'pwd; echo "$A $PROFILE $1"; echo err >&2; exit 7'
    words = ("-e", "A=b  c", "-w", "/", "--profile", "standard")
    answer = run(*words, "--", "sh", "-c", script, "sh", "it's")
    assert (answer.code, answer.stdout) == (7, b"/\nb  c standard it's\n")
    assert answer.stderr == "err\n"


def test_a_megabyte_from_an_agent_in_go_arrives_whole(run):
    answer = run("--", "sh", "-c", "seq 1 150000")
    assert answer.stdout == b"".join(b"%d\n" % n for n in range(1, 150_001))


def test_an_agent_in_go_that_gives_no_code_leaves_the_end_unknown(run):
    answer = run("-e", "FAULT=no-code", "--", "echo", "hi")
    assert (answer.code, answer.stdout) == (125, b"hi\n")
    assert "without an exit code" in answer.stderr


def test_the_first_exit_code_of_an_agent_in_go_ends_it(run):
    answer = run("-e", "FAULT=goes-on", "--", "sh", "-c", "echo hi; exit 3")
    assert (answer.code, answer.stdout) == (3, b"hi\n")


def test_an_agent_in_go_that_refuses_is_told_of(run, cli):
    answer = run("--", "no-such-program")
    assert answer.code == 125
    assert "it cannot be started" in answer.stderr
    (cli.directory / "token").write_text("another-token")
    answer = run("--", "true")
    assert answer.code == 125
    assert "no such bearer" in answer.stderr


def test_a_timeout_and_ctrl_c_end_the_call_to_an_agent_in_go(run, cli):
    endless = ("sh", "-c", "echo begun; exec tail -f /dev/null", str(cli.directory))
    assert run("--timeout", "1s", "--", *endless).code == 124
    process = cli.popen("exec", "--exec-env", "go", "--", *endless, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"begun\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert left_over(cli.directory) == []


def _running() -> str:
    argv = ["docker", "ps", "--no-trunc", "--format", "{{.Command}}"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
