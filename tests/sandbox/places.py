"""Providers for a sandbox: a scripted one in this process, and how names come to it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.jobs.conftest import SHORT
from tests.jobs.scripted import QUICK, Scripted

from dayfly.contract.errors import NotFound
from dayfly.jobs import Jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.services import Services
    from dayfly.sandbox import Resolve

ISOLATION = frozenset(
    f"isolation.{part}"
    for part in (
        "no_network",
        "read_only_root",
        "no_new_privileges",
        "drop_capabilities",
        "pids_limit",
        "tmpfs",
    )
)
RESOURCES = frozenset({"resources.cpus", "resources.memory_mib"})
#: Carries out all that a profile asks for.
ABLE = replace(
    QUICK,
    honours=QUICK.honours
    | ISOLATION
    | RESOURCES
    | {"timeout_seconds", "secrets", "network", "working_dir", "user", "labels"},
)


@dataclass
class Plugin:
    """What a loaded plugin is to a sandbox."""

    services: Services


@dataclass
class Place:
    """A provider that was reached."""

    jobs: Jobs
    plugin: Plugin


def places(**services: Services) -> Resolve:
    """Reaches these providers, and knows no others."""

    def resolve(name: str):  # type: ignore[no-untyped-def]
        if name not in services:
            raise NotFound(f"there is no provider {name!r}", advice="`dayfly providers` lists them")
        return opened(name)

    @asynccontextmanager
    async def opened(name: str) -> AsyncIterator[Place]:
        async with Jobs(services[name], provider=name, timing=SHORT) as jobs:
            yield Place(jobs, Plugin(services[name]))

    return resolve


def prints(scripted: Scripted, *outputs: bytes, code: int | None = 0) -> None:
    """Each job prints this, one batch each, and ends."""

    def play(job: object) -> None:
        for data in outputs:
            job.prints(data)  # type: ignore[attr-defined]
        job.ends(code)  # type: ignore[attr-defined]

    scripted.on_submit = play
