"""A plugin that a person started, in a debugger say, is used as it is and left alone."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYFLY = Path(sys.executable).with_name("dayfly")
NAME = "DAYFLY_REATTACH_PLUGINS"


@pytest.fixture
def plugin() -> Iterator[subprocess.Popen[str]]:
    """The local plugin, by hand."""
    argv = [sys.executable, "-P", "-m", "dayfly.providers.local", "--debug"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture
def told(plugin: subprocess.Popen[str]) -> dict[str, Any]:
    """What it says to put into the variable."""
    assert plugin.stdout
    for line in plugin.stdout:
        if found := re.match(rf"\s+export {NAME}=(.*)", line):
            return dict(json.loads(shlex.split(found[1])[0]))
    raise AssertionError("it said nothing")


def run(tmp_path: Path, value: object, *command: str) -> subprocess.CompletedProcess[str]:
    text = value if isinstance(value, str) else json.dumps(value)
    env = {**os.environ, "DAYFLY_STATE_DIR": str(tmp_path / "state"), NAME: text}
    return subprocess.run(
        [DAYFLY, "run", "--", *command],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_one_host_after_another_uses_it_and_it_runs_on(
    plugin: subprocess.Popen[str], told: dict[str, Any], tmp_path: Path
) -> None:
    for code in (0, 4):
        done = run(tmp_path, told, "sh", "-c", f"echo $PPID; exit {code}")
        assert done.returncode == code, done.stderr
    assert told["local"]["Pid"] == plugin.pid
    assert plugin.poll() is None
    plugin.send_signal(signal.SIGINT)
    assert plugin.wait(10) == 0


def test_one_that_has_ended_is_told(
    plugin: subprocess.Popen[str], told: dict[str, Any], tmp_path: Path
) -> None:
    plugin.send_signal(signal.SIGINT)
    plugin.wait(10)
    done = run(tmp_path, told, "true")
    assert done.returncode == 125
    assert f"names process {plugin.pid} for plugin 'local'" in done.stderr


@pytest.mark.parametrize(
    "value",
    [
        "nonsense",
        "[]",
        {"local": {}},
        {"local": {"Protocol": "grpc", "Pid": "1", "Addr": {"Network": "unix", "String": "/x"}}},
        {"local": {"Protocol": "grpc", "Pid": 1, "Addr": {"Network": "tcp", "String": "h:1"}}},
        {"local": {"Protocol": "netrpc", "Pid": 1, "Addr": {"Network": "unix", "String": "/x"}}},
    ],
)
def test_a_value_that_is_none_is_refused(value: object, tmp_path: Path) -> None:
    done = run(tmp_path, value, "true")
    assert done.returncode == 125
    assert done.stderr.startswith("dayfly: ")
    assert "Traceback" not in done.stderr


def test_another_plugin_is_started_as_ever(told: dict[str, Any], tmp_path: Path) -> None:
    done = run(tmp_path, {"another": told["local"]}, "echo", "started")
    assert (done.returncode, done.stdout) == (0, "started\n")
