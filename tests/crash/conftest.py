"""Runs the command line as a user does, and kills it, or its plugin, where it hurts."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import psutil
import pytest

from dayfly.contract.identity import key_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAYFLY = Path(sys.executable).with_name("dayfly")
SCRIPT = "i=1; while [ $i -le 15 ]; do echo line $i; sleep 0.02; i=$((i+1)); done; exit 7"
BOUND_SECONDS = 30.0


@dataclass
class Crash:
    """One key of one provider, its runs, and what there is to see of them from outside."""

    provider: str
    directory: Path
    key: str = field(default_factory=lambda: f"crash-{uuid.uuid4().hex}")
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = f"crash-{self.key[-8:]}"
        self.count = self.directory / "count"
        self.state = self.directory / "state"
        self._since = time.time() - 1

    def dayfly(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the command line."""
        environment = {**os.environ, "DAYFLY_STATE_DIR": str(self.state)}
        started = subprocess.Popen(
            [DAYFLY, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            env=environment,
        )
        self._started.append(started)
        return started

    def run(self, *options: str, script: str = SCRIPT) -> subprocess.Popen[bytes]:
        """The one command of this test: always the same key, always the same job."""
        image = ["--image", "dayfly-test:latest"] if self.provider == "docker" else []
        counted = f"echo ran >> {self.count}; {script}" if self.provider == "local" else script
        place = ["--on", self.provider, *image, "--key", self.key, "--name", self.name]
        return self.dayfly("run", *place, *options, "--", "sh", "-c", counted)

    def ask(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """Run the command line to its end: exit code, stdout, stderr."""
        return self.finish(self.dayfly(*arguments))

    def finish(self, process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
        out, err = process.communicate(timeout=BOUND_SECONDS)
        return process.returncode, out, err

    def kill(self, process: subprocess.Popen[bytes], victim: str) -> None:
        """SIGKILL to the command line, or to the plugin that it started."""
        if victim == "plugin":
            for child in self._plugins(process):
                child.kill()
            # The command line sees it, and ends by itself in bounded time.
            self.finish(process)
        else:
            process.kill()
            process.wait(BOUND_SECONDS)

    def wait_for(self, seen: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        """Look again and again, with hardly a pause, until it is seen or all is over."""
        deadline = time.monotonic() + BOUND_SECONDS
        while not seen() and process.poll() is None:
            assert time.monotonic() < deadline, "it was never seen"
            time.sleep(0.0005)

    def started(self) -> bool:
        """The job's command runs, or has run."""
        return self.times_started() > 0

    def times_started(self) -> int:
        """How often the job began, as the machine or the engine tells it."""
        if self.provider == "local":
            return len(self.count.read_text().splitlines()) if self.count.exists() else 0
        wanted = {"label": [self._label()], "event": ["start"], "type": ["container"]}
        span = {"since": f"{self._since:.0f}", "until": f"{time.time() + 1:.0f}"}
        return len(_engine("events", filters=json.dumps(wanted), **span).splitlines())

    def journaled(self) -> bool:
        """The launch is written down."""
        for path in self.state.glob("journal.sqlite3*"):
            # SQLite takes its side files away whenever it likes.
            with suppress(FileNotFoundError):
                if self.key.encode() in path.read_bytes():
                    return True
        return False

    def made(self) -> bool:
        """The provider has something for the key."""
        if self.provider == "local":
            # One level only: below it, directories come and go while they are looked at.
            return any((self.state / "local" / "jobs").glob(f"*{key_digest(self.key)}*"))
        wanted = json.dumps({"label": [self._label()]})
        return bool(json.loads(_engine("containers/json", all="true", filters=wanted)))

    def close(self) -> None:
        """Nothing of this test is left, and no process."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        if self.made():
            code, _, err = self.ask("rm", "--force", self.name)
            assert code == 0, err.decode()
        assert not self.made()

    def _label(self) -> str:
        return f"dayfly.key={key_digest(self.key)}"

    def _plugins(self, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        module = f"dayfly.providers.{self.provider}"
        try:
            children = psutil.Process(process.pid).children()
            return [child for child in children if module in child.cmdline()]
        except psutil.NoSuchProcess:
            return []


class _Engine(http.client.HTTPConnection):
    """The Docker Engine's socket, past everything that is tested here."""

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(BOUND_SECONDS)
        self.sock.connect("/var/run/docker.sock")


def _engine(path: str, **parameters: str) -> str:
    with closing(_Engine("engine")) as engine:
        engine.request("GET", f"/{path}?{urlencode(parameters)}")
        answer = engine.getresponse()
        text = answer.read().decode()
    assert answer.status == 200, text
    return text


PROVIDERS = [
    "local",
    pytest.param(
        "docker",
        marks=[
            pytest.mark.docker,
            pytest.mark.skipif(
                os.environ.get("DAYFLY_TEST_DOCKER") == "skip",
                reason="DAYFLY_TEST_DOCKER=skip: THE DOCKER PROVIDER IS NOT TESTED",
            ),
        ],
    ),
]


@pytest.fixture(params=PROVIDERS)
def crash(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crash]:
    made = Crash(request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture
def interrupt() -> Callable[[subprocess.Popen[bytes]], None]:
    return lambda process: process.send_signal(signal.SIGINT)
