"""Third-party stand-ins for AWS, each a process from an environment of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ENVIRONMENTS = Path(sys.prefix)
START_SECONDS = 30.0
STOP_SECONDS = 30.0

#: What every AWS client finds, and nothing of whoever runs the tests.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000000000",
    "AWS_SECRET_ACCESS_KEY": "an-example-key",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(argv: Sequence[str], health: str, env: Mapping[str, str], log: Path) -> Iterator[None]:
    """A server for as long as the context lasts.

    Args:
        argv: Its command; the program is one of the stand-in's environment.
        health: URL that answers once it is ready.
        env: Beside PATH and HOME.
        log: Where its output goes.
    """
    program = ENVIRONMENTS / argv[0]
    if not program.exists():
        pytest.fail(f"{program} is not there: run `make stand-ins`")
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, *argv[1:]], env=kept | dict(env), stdout=out, stderr=out
        )
        try:
            _wait_for(health, process, log)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer: {log.read_text(errors='replace')[-2000:]}")
