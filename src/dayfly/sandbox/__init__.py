"""Exec environments: a command in a sandbox that is chosen by name.

    from dayfly.api import connect
    from dayfly.sandbox import Sandbox

    sandbox = Sandbox(connect)
    result = await sandbox.exec(["make", "test"], image="registry.example/ci:1")
    async with sandbox.stream(["make", "test"], profile="standard") as running:
        async for output in running:
            ...

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.sandbox.command import Command, CommandOptions
    from dayfly.sandbox.environments import Reached, Resolve
    from dayfly.sandbox.profiles import PROFILES, Profile
    from dayfly.sandbox.result import ExecResult, Output
    from dayfly.sandbox.runners import RemoteRunner, remote_runners
    from dayfly.sandbox.sandbox import Running, Sandbox

_HOMES = {
    "Command": "command",
    "CommandOptions": "command",
    "ExecResult": "result",
    "Output": "result",
    "PROFILES": "profiles",
    "Profile": "profiles",
    "Reached": "environments",
    "RemoteRunner": "runners",
    "Resolve": "environments",
    "Running": "sandbox",
    "Sandbox": "sandbox",
    "remote_runners": "runners",
}

__all__ = [
    "PROFILES",
    "Command",
    "CommandOptions",
    "ExecResult",
    "Output",
    "Profile",
    "Reached",
    "RemoteRunner",
    "Resolve",
    "Running",
    "Sandbox",
    "remote_runners",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
