"""What needs no provider: help, usage, completion, schema."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import DAYFLY

from dayfly.cli.app import COMMANDS, run
from dayfly.version import __version__


def test_version_imports_neither_click_nor_asyncio():
    code = (
        "import sys; sys.argv = ['dayfly', '--version']\n"
        "from dayfly.cli.__main__ import main\n"
        "main()\n"
        "print(sorted({'click', 'asyncio', 'grpc', 'rich', 'json'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"dayfly {__version__}", "[]"]


@pytest.mark.parametrize("argv", [["-V"], ["--version"], ["--debug", "--version"]])
def test_version(cli, argv):
    assert cli(*argv).text == f"dayfly {__version__}\n"


def test_the_package_is_light_until_a_name_of_it_is_used():
    code = (
        "import sys, dayfly; heavy = {'asyncio', 'grpc', 'sqlite3', 'click'}\n"
        "assert not heavy & set(sys.modules); import dayfly.api\n"
        "print(sorted(heavy & set(sys.modules)), 'run' in dir(dayfly))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_output_json(cli, command):
    answer = cli(command, "--help")
    assert answer.code == 0
    assert "--output" in answer.text
    assert answer.stderr == ""


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["nosuch"], "No such command 'nosuch'"),
        (["run", "--nosuch"], "No such option"),
        (["run", "--memory", "12"], "is no size; allowed"),
        (["run", "--timeout", "soon"], "is no duration; allowed"),
        (["run", "--cpus", "many"], "--cpus"),
        (["run", "-e", "=x", "--", "true"], "has no name before '='"),
        (["run", "-e", "NOT_SET_HERE", "--", "true"], "NOT_SET_HERE is not set here"),
        (["run", "--secret", "PASSWORD", "--", "true"], "--secret: it is not NAME=VALUE"),
        (["run", "--env-file", "none", "--", "true"], "No such file"),
        (["run", "--on", "nosuch", "--", "true"], "no provider 'nosuch'"),
        (["run", "--on", "../x", "--", "true"], "no provider '../x'"),
        (["status"], "Missing argument 'JOB'"),
        (["status", "dayfly1.x"], "handle token"),
        (["completion", "csh"], "'csh' is not one of"),
        (["logs", "x", "--since", "noon"], "is no time; allowed"),
        (["logs", "x", "--since", "9999999d"], "is before all time"),
    ],
)
def test_a_wrong_command_line_is_explained_and_exits_with_125(cli, argv, words):
    answer = cli(*argv)
    assert answer.code == 125
    assert answer.stderr.startswith("dayfly: ")
    assert words in answer.stderr
    assert answer.stdout == b""


def test_with_json_a_failure_is_a_document_too(cli):
    answer = cli("run", "--output", "json", "--on", "nosuch", "--", "true")
    assert answer.code == 125
    error = answer.json["error"]
    assert sorted(error) == ["advice", "code", "field", "message", "reason"]
    assert error["code"] == "NOT_FOUND"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(cli, shell):
    answer = cli("completion", shell)
    assert answer.code == 0
    assert "_DAYFLY_COMPLETE" in answer.text
    assert cli("completion", shell, "--output", "json").json["shell"] == shell


@pytest.mark.parametrize(
    ("words", "expected"),
    [("dayfly r", "plain,run"), ("dayfly run --o", "plain,--on"), ("dayfly ps --on lo", "local")],
)
def test_completion_knows_commands_options_and_providers(cli, words, expected):
    env = {"_DAYFLY_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "9"}
    env["COMP_CWORD"] = str(len(words.split()) - 1)
    answer = cli(env=env)
    assert expected in answer.text


def test_the_schema_is_json_schema(cli):
    assert cli("schema").json["$schema"].startswith("https://json-schema.org/")


def test_providers_lists_what_is_configured_and_what_is_installed(cli):
    (cli.directory / "dayfly.toml").write_text(
        'default = "prod"\n[providers.prod]\nplugin = "docker"\n'
    )
    listed = cli("providers", "-o", "json").json
    assert listed["default"] == "prod"
    assert listed["configured"] == [{"name": "prod", "plugin": "docker"}]
    assert {"docker", "local"} <= {plugin["name"] for plugin in listed["installed"]}
    assert "prod *" in cli("providers").text


@pytest.mark.parametrize("content", ["[", "default = 3", "[providers.x]\nplugin = '/'"])
def test_a_wrong_configuration_is_named(cli, content):
    (cli.directory / "dayfly.toml").write_text(content)
    answer = cli("providers")
    assert answer.code == 125
    assert "dayfly.toml" in answer.stderr


def test_a_standard_descriptor_that_is_closed_is_no_failure():
    for redirection in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        for words in ("--version", "providers"):
            done = subprocess.run(
                ["sh", "-c", f"exec {DAYFLY} {words} {redirection}"], timeout=20, check=False
            )
            assert done.returncode == 0, (redirection, words)


def test_a_full_disk_is_said_and_no_traceback():
    for words in ("--version", "providers", "--help"):
        done = subprocess.run(
            ["sh", "-c", f"exec {DAYFLY} {words} >/dev/full"],
            capture_output=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 125
        assert b"Traceback" not in done.stderr
        assert b"No space left" in done.stderr


words = st.text(max_size=20) | st.sampled_from(
    ["-e", "--env", "--cpus", "-m", "--timeout", "--secret", "-l", "--since", "--tail", "--", "="]
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["run", "plan", "logs", "wait", "ps", "prune", "describe"]), st.lists(words))
def test_no_argv_breaks_the_command_line(tmp_path, monkeypatch, command, argv):
    """All options are parsed and turned into a job; no provider of this name is there."""
    monkeypatch.setenv("DAYFLY_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("DAYFLY_PROVIDER", "nosuch")
    monkeypatch.chdir(tmp_path)
    tail = [] if command in {"run", "plan", "prune", "describe"} else ["--on", "nosuch"]
    code = run([command, *tail, *argv])
    assert code in {0, 125}
