"""The emulated AWS in a process of its own, and the command line of a user of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.session import Session
from tests.crash.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SECRET = "canary-secret-key-9f2c7"
SESSION = "canary-session-token-41d8e"
REGION = "eu-west-1"
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000000000",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_SESSION_TOKEN": SESSION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
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


class Cloud(Machine):
    """A machine with a configuration for an emulator, and what that knows."""

    url: str = ""

    @classmethod
    def made(cls, url: str, directory: Path, more: str) -> Cloud:
        """Where ``more`` is TOML, a line each: it takes the place of what is set here."""
        lines = SETTINGS.format(url=url, region=REGION).splitlines()
        own = {line.partition(" = ")[0] for line in more.splitlines()}
        lines = [line for line in lines if line.partition(" = ")[0] not in own]
        cloud = cls(
            directory=directory,
            settings="\n".join([*lines, more]),
            plugin="dayfly.providers.aws",
            hidden=("AWS_", "BOTO"),
            env=dict(KEYS),
            canaries=(SECRET, SESSION),
        )
        cloud.url = url
        return cloud

    def elsewhere(self) -> Cloud:
        """Another machine: the same configuration, another journal."""
        other = super().elsewhere()
        other.url = self.url
        return other

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
    cloud = Cloud.made(url, directory, more)
    cloud.post("reset", knobs)
    try:
        yield cloud
        assert cloud.asked("violations") == []
        assert not any(map(cloud.told_in, cloud.written()))
        assert not cloud.told_in(json.dumps(cloud.asked("requests")).encode())
    finally:
        cloud.end()
