"""The Go programs, and ``dayfly`` processes that load plugins made of them.

A Go provider and a Go host on HashiCorp's go-plugin, and both ends of a sandbox, are built once
from ``go/`` and the messages in ``proto/``. They stay in the environment that runs the tests
until a source changes.
Where there is no Go, these tests are skipped; with ``DAYFLY_REQUIRE_GO=1`` they fail.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.conftest import Cli
from tests.interop.building import NoGo, Programs, programs_built
from tests.interop.processes import end_jobs, left_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def programs() -> Programs:
    """The Go programs."""
    try:
        return programs_built()
    except NoGo as reason:
        if os.environ.get("DAYFLY_REQUIRE_GO") == "1":
            raise
        pytest.skip(str(reason))


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """A command line with a state and plugins of its own; no plugin of it outlives the test."""
    command = Cli(tmp_path)
    yield command
    for process in command.started:
        process.kill()
        with process:
            pass
    end_jobs(tmp_path)
    assert not left_over(tmp_path)


@pytest.fixture
def install(cli: Cli) -> Callable[..., Path]:
    """Puts a program into the plugins directory, in modes given in its environment."""

    def put(name: str, program: str, **manifest: Any) -> Path:
        directory = cli.directory / "plugins" / name
        directory.mkdir(parents=True)
        about = {"name": name, "version": "1.4.2", "author": "tests", "description": "d"}
        (directory / "plugin.json").write_text(json.dumps(about | manifest))
        (directory / name).write_text(f"#!/bin/sh\n{program}\n")
        (directory / name).chmod(0o755)
        return directory

    return put


@pytest.fixture
def go_plugin(install: Callable[..., Path], programs: Programs) -> Callable[..., str]:
    """Installs the Go provider in the modes given; gives the plugin's name."""

    def put(*modes: str, name: str = "go-scripted") -> str:
        # Found again by its arguments: a process whose host is gone has no other mark.
        mark = f"INTEROP_MODES={','.join(modes)} exec {programs.provider}"
        install(name, f'{mark} "$(dirname "$0")"')
        return name

    return put


@pytest.fixture
def python_plugin(install: Callable[..., Path]) -> Callable[..., str]:
    """Installs a Python program of these tests; gives the plugin's name."""

    def put(name: str, script: str, *arguments: str) -> str:
        program = Path(__file__).with_name(script)
        words = " ".join(arguments)
        install(name, f'exec {sys.executable} -P {program} "$(dirname "$0")" {words}')
        return name

    return put
