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
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from botocore import xform_name
from botocore.session import Session

from dayfly.jobs import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAYFLY = Path(sys.executable).with_name("dayfly")
ROOT = Path(__file__).parents[2]
BOUND_SECONDS = 40.0
SECRET = "canary-secret-key-9f2c7"
SESSION = "canary-session-token-41d8e"
REGION = "eu-west-1"
SETTINGS = """
[providers.prod]
plugin = "aws"
region = "{region}"
cluster = "jobs"
subnets = ["subnet-0123456789abcdef0"]
execution_role = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
endpoint_url = "{url}"
log_drain_seconds = 0
log_settle_seconds = 0
"""


def script(**behaviour: Any) -> list[str]:
    """What a job does in the emulator."""
    return ["emulate", json.dumps(behaviour)]


@dataclass
class Cloud:
    """One emulator, and a machine with a configuration for it; ``more`` is TOML, a line each."""

    url: str
    directory: Path
    more: str = ""
    env: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory.mkdir(exist_ok=True)
        lines = SETTINGS.format(url=self.url, region=REGION).splitlines()
        # What a test sets takes the place of what is set here.
        own = {line.partition(" = ")[0] for line in self.more.splitlines()}
        lines = [line for line in lines if line.partition(" = ")[0] not in own]
        text = "\n".join([*lines, self.more])
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
            "AWS_SESSION_TOKEN": SESSION,
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
        """Exit code, stdout, stderr; never with a credential, or a traceback nobody asked for."""
        out, err = process.communicate(timeout=BOUND_SECONDS)
        text = err.decode(errors="replace")
        assert "--debug" in process.args or "Traceback" not in text, text
        assert not told_in(out + err)
        return process.returncode, out.decode(errors="replace"), text

    def asked(self, what: str) -> Any:
        """What the emulator knows: ``calls``, ``tasks``, ``violations``, ``requests``."""
        with urllib.request.urlopen(f"{self.url}/_emulator/{what}", timeout=10) as answer:
            return json.load(answer)

    def tasks(self) -> list[dict[str, Any]]:
        """Every task that ever was, with the moments of its life."""
        return list(self.asked("tasks"))

    def reached(self, moment: str) -> bool:
        """Some task has come to ``started``, ``stopping`` or ``stopped``."""
        return any(task[moment] and task[moment] <= time.time() for task in self.tasks())

    def told(self, call: str) -> bool:
        """It was called, such as ``ecs.RunTask``."""
        return bool(self.asked("calls").get(call))

    def somebody(self, service: str, operation: str, **members: Any) -> dict[str, Any]:
        """A call of somebody else in the same account."""
        client = Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="AKIASOMEBODY00000000",
            aws_secret_access_key="of-somebody-else",
        )
        with closing(client):
            return dict(getattr(client, xform_name(operation))(**members))

    def change(self, **knobs: Any) -> None:
        """Set knobs while it runs."""
        self.post("knobs", knobs)

    def post(self, what: str, members: dict[str, Any]) -> None:
        """Tell the emulator: ``knobs`` or ``reset``."""
        body = json.dumps(members).encode()
        request = urllib.request.Request(f"{self.url}/_emulator/{what}", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10):
            return

    def until(self, seen: Callable[[], bool]) -> None:
        """Look again and again until it is seen."""
        end = time.monotonic() + BOUND_SECONDS
        while not seen():
            assert time.monotonic() < end, "it was never seen"
            time.sleep(0.02)

    def kill(self, process: subprocess.Popen[bytes], victim: str) -> None:
        """SIGKILL to the command line, or to its plugin, which it sees."""
        if victim == "plugin":
            for child in _plugins(process):
                child.kill()
            self.finish(process)
        else:
            process.kill()
            assert not told_in(b"".join(process.communicate()))

    def interrupt(self, process: subprocess.Popen[bytes]) -> None:
        """Ctrl-C."""
        process.send_signal(signal.SIGINT)


def told_in(data: bytes) -> bool:
    """A credential is in it."""
    return SECRET.encode() in data or SESSION.encode() in data


def _kept(cloud: Cloud) -> Iterator[bytes]:
    """What dayfly wrote on any of the machines, and what it sent as members of requests."""
    for path in cloud.directory.rglob("*"):
        if path.is_file():
            yield path.read_bytes()
        if path.name == "journal.sqlite3":  # A handle is a token there, which shows nothing.
            yield repr(Journal.open(path).entries()).encode()
    yield json.dumps(cloud.asked("requests")).encode()


def _alive(directory: Path) -> list[psutil.Process]:
    """Plugins of these machines, whoever started them."""
    alive = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if "dayfly.providers.aws" in process.cmdline():
                state = process.environ().get("DAYFLY_STATE_DIR", "")
                alive += [process] if state.startswith(str(directory)) else []
    return alive


def _plugins(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        children = psutil.Process(process.pid).children()
        return [child for child in children if "dayfly.providers.aws" in child.cmdline()]
    except psutil.NoSuchProcess:
        return []


@contextmanager
def running_emulator() -> Iterator[str]:
    """The URL of an emulator in a process of its own."""
    argv = [sys.executable, "-m", "tests.emulators.aws"]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout
        yield emulator.stdout.readline().strip()
        emulator.terminate()


@contextmanager
def opened_cloud(url: str, directory: Path, more: str = "", **knobs: Any) -> Iterator[Cloud]:
    """A new account for as long as the context lasts; nothing of ours goes on after it."""
    cloud = Cloud(url, directory, more)
    cloud.post("reset", knobs)
    try:
        yield cloud
        assert cloud.asked("violations") == []
        assert not any(map(told_in, _kept(cloud)))
    finally:
        for process in cloud.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        cloud.until(lambda: not _alive(directory))
