"""The emulated AWS in a process of its own, and the command line of a user of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAYFLY = Path(sys.executable).with_name("dayfly")
ROOT = Path(__file__).parents[2]
BOUND_SECONDS = 40.0
SECRET = "canary-secret-key-9f2c7"
SETTINGS = """
[providers.prod]
plugin = "aws"
region = "eu-west-1"
cluster = "jobs"
subnets = ["subnet-0123456789abcdef0"]
execution_role = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
endpoint_url = "{url}"
log_drain_seconds = 1
log_settle_seconds = 0
{more}
"""


def script(**behaviour: Any) -> list[str]:
    """What a job does in the emulator."""
    return ["emulate", json.dumps(behaviour)]


@dataclass
class Cloud:
    """One emulator, and a machine with a configuration for it."""

    url: str
    directory: Path
    more: str = ""
    env: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory.mkdir(exist_ok=True)
        text = SETTINGS.format(url=self.url, more=self.more)
        (self.directory / "dayfly.toml").write_text(text, encoding="utf-8")

    def elsewhere(self) -> Cloud:
        """Another machine: the same configuration, another journal."""
        directory = self.directory / f"other-{uuid.uuid4().hex[:6]}"
        return Cloud(self.url, directory, self.more, self.env, self.started)

    def popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the command line."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DAYFLY_", "BOTO"))
        }
        keys = {
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000000000",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "DAYFLY_STATE_DIR": str(self.directory / "state"),
        }
        process = subprocess.Popen(
            [DAYFLY, *arguments],
            cwd=self.directory,
            env={**kept, **keys, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.started.append(process)
        return process

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command line to its end: exit code, stdout, stderr."""
        return self.finish(self.popen(*arguments))

    def finish(self, process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
        out, err = process.communicate(timeout=BOUND_SECONDS)
        text = err.decode(errors="replace")
        assert "Traceback" not in text, text
        assert SECRET not in text + out.decode(errors="replace")
        return process.returncode, out.decode(errors="replace"), text

    def asked(self, what: str) -> Any:
        """What the emulator knows: ``calls``, ``tasks``, ``violations``, ``requests``."""
        with urllib.request.urlopen(f"{self.url}/_emulator/{what}", timeout=10) as answer:
            return json.load(answer)

    def change(self, **knobs: Any) -> None:
        """Set knobs while it runs."""
        body = json.dumps(knobs).encode()
        request = urllib.request.Request(f"{self.url}/_emulator/knobs", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10):
            return

    def until(self, seen: Callable[[], bool]) -> None:
        """Look again and again until it is seen."""
        end = time.monotonic() + BOUND_SECONDS
        while not seen():
            assert time.monotonic() < end, "it was never seen"
            time.sleep(0.005)

    def kill(self, process: subprocess.Popen[bytes], victim: str) -> None:
        """SIGKILL to the command line, or to its plugin, which it sees."""
        if victim == "plugin":
            for child in _plugins(process):
                child.kill()
            self.finish(process)
        else:
            process.kill()
            process.communicate()

    def interrupt(self, process: subprocess.Popen[bytes]) -> None:
        """Ctrl-C."""
        process.send_signal(signal.SIGINT)


def _plugins(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        children = psutil.Process(process.pid).children()
        return [child for child in children if "dayfly.providers.aws" in child.cmdline()]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def opened_cloud(directory: Path, more: str = "", **knobs: Any) -> Iterator[Cloud]:
    """An emulator for as long as the context lasts; nothing of ours goes on after it."""
    argv = [sys.executable, "-m", "tests.emulators.aws", "--knobs", json.dumps(knobs)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout
        cloud = Cloud(emulator.stdout.readline().strip(), directory, more)
        try:
            yield cloud
            assert cloud.asked("violations") == []
        finally:
            for process in cloud.started:
                if process.poll() is None:
                    process.kill()
                process.communicate()
            emulator.terminate()
