"""The plugin goes with its host, and only with its host."""

from __future__ import annotations

import subprocess
import sys

import pytest

SPAWN = """
import os, sys
from dayfly.host import find_plugin, spawn
process = spawn(find_plugin("raw"))
print(process.popen.pid, process.socket_dir, flush=True)
"""


@pytest.fixture
def host(make_plugin):
    """Runs a program that has spawned a plugin; gives its output's words."""
    make_plugin("#!/bin/sh\nexec sleep 60\n")

    def run(code: str, warnings: str = "error") -> list[str]:
        done = subprocess.run(
            [sys.executable, "-W", warnings, "-c", SPAWN + code],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return run


def test_a_host_that_forgets_its_plugin_takes_it_along(host):
    pid, directory = host("")
    assert_ended(int(pid), directory)


def test_a_host_that_fails_takes_it_along(host):
    pid, directory = host("sys.exit(0)")
    assert_ended(int(pid), directory)


def test_a_fork_of_the_host_does_not_end_its_plugin(host):
    code = """
child = os.fork()
if child == 0:
    sys.exit(0)
os.waitpid(child, 0)
print("running" if process.popen.poll() is None else "dead")
"""
    # Python warns of a child that the fork does not own; that is its own affair.
    assert host(code, warnings="ignore")[2] == "running"


def test_spawning_beside_a_living_grpc_prints_nothing(host, raw_argv):
    code = f"""
import asyncio
from dayfly.host import connect
process.close()
async def main():
    plugin = find_plugin({raw_argv!r})
    async with connect(spawn(plugin)) as one:
        async with connect(spawn(plugin)) as two:
            print(one.pid != two.pid, (await two.services.submitter.describe()).provider)
asyncio.run(main())
"""
    assert host(code)[2:] == ["True", "raw"]


@pytest.fixture
def raw_argv(tmp_path, raw_script):
    directory = tmp_path / "raw-grpc"
    directory.mkdir()
    (directory / "plugin.json").write_text(
        '{"name": "raw-grpc", "version": "1.2.3", "author": "a", "description": "d"}'
    )
    program = directory / "raw-grpc"
    program.write_text(raw_script())
    program.chmod(0o755)
    return str(directory)


def assert_ended(pid: int, directory: str) -> None:
    from pathlib import Path

    assert not Path(directory).exists()
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"
