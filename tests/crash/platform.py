"""The emulated App Platform in a process of its own, and a machine of a user of it."""

from __future__ import annotations

import json
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from tests.crash.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulators.digitalocean.process import Running

TOKEN = "dop_v1_canary-api-token-77b1c"
SETTINGS = """
[providers.prod]
plugin = "digitalocean"
endpoint_url = "{url}"
ca_file = "{ca_file}"
region = "fra"
tags = "allow"
log_drain_seconds = 0
"""


def script(**behaviour: Any) -> list[str]:
    """What a job does in the emulator."""
    return ["emulate", json.dumps(behaviour)]


class Platform(Machine):
    """A machine with a configuration for an emulator, and what that knows."""

    there: Running

    @classmethod
    def made(cls, there: Running, directory: Path) -> Platform:
        """A new machine."""
        platform = cls(
            directory=directory,
            settings=SETTINGS.format(url=there.url, ca_file=there.ca_file),
            plugin="dayfly.providers.digitalocean",
            hidden=("DIGITALOCEAN_",),
            env={"DIGITALOCEAN_TOKEN": TOKEN},
            canaries=(TOKEN,),
        )
        platform.there = there
        return platform

    def elsewhere(self) -> Platform:
        """Another machine: the same configuration, another journal."""
        other = super().elsewhere()
        other.there = self.there
        return other

    def apps(self) -> list[dict[str, Any]]:
        """Every app that is there, with its deployments and what they ran."""
        return list(self.there.ask("apps"))

    def runs(self) -> list[str]:
        """How every run of every app stands."""
        return [
            state
            for app in self.apps()
            for deployment in app["deployments"]
            for state in deployment["runs"].values()
        ]

    def told(self, call: str) -> bool:
        """It was called, such as ``apps_create``."""
        return bool(self.there.ask("calls").get(call))

    def somebody(self, method: str, path: str, body: Any = None) -> Any:
        """A call of somebody else in the same account."""
        answer = httpx.request(
            method,
            self.there.url + path,
            json=body,
            headers={"Authorization": "Bearer of-somebody-else"},
            verify=ssl.create_default_context(cafile=self.there.ca_file),
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def opened_platform(there: Running, directory: Path, **knobs: Any) -> Iterator[Platform]:
    """A new account for as long as the context lasts; nothing of ours goes on after it."""
    there.reset(**knobs)
    platform = Platform.made(there, directory)
    try:
        yield platform
        assert there.ask("violations") == []
        assert not any(map(platform.told_in, platform.written()))
        assert not platform.told_in(json.dumps(there.ask("requests")).encode())
    finally:
        platform.end()
