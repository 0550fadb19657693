"""Real ``dayfly`` processes, each with a state of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

DAYFLY = str(Path(sys.executable).with_name("dayfly"))
LIMIT_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Cli:
    """Runs ``dayfly`` in a directory and with a state that nobody else has."""

    directory: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("DAYFLY_")}
        return {
            **kept,
            "DAYFLY_STATE_DIR": str(self.directory / "state"),
            "DAYFLY_PLUGINS_DIR": str(self.directory / "plugins"),
            "PWD": str(self.directory),
        }

    def __call__(self, *argv: str | bytes, env: dict[str, str] | None = None) -> Answer:
        done = subprocess.run(
            [DAYFLY, *argv],
            cwd=self.directory,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
        assert "Traceback" not in answer.stderr, answer.stderr
        return answer

    def popen(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([DAYFLY, *argv], cwd=self.directory, env=self.env, **options)
        self.started.append(process)
        return process

    def elsewhere(self, name: str) -> Cli:
        """Another machine: the same providers, another journal."""
        directory = self.directory / name
        directory.mkdir()
        return Cli(directory)


@pytest.fixture
def cli(tmp_path: Path):
    """A command line; jobs that a test leaves running are stopped after it."""
    command = Cli(tmp_path)
    yield command
    for process in command.started:
        process.kill()
        with process:  # Closes its pipes, and waits.
            pass
    if (tmp_path / "state").exists():
        for job in command("ps", "--output", "json").json["jobs"]:
            command("cancel", job["handle"] or job["name"])
