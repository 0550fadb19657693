"""The provider's own objects in this process, over the emulator's socket."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws import Emulator, Knobs
from tests.emulators.aws.script import emulate

from dayfly.contract.jobs import JobHandle, JobSpec, JobStatus, Submission, Submitted
from dayfly.contract.services import Services
from dayfly.jobs import Jobs, Timing
from dayfly.providers.aws.canceler import Canceler
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.inventory import Inventory
from dayfly.providers.aws.observer import Observer
from dayfly.providers.aws.runner import Submitter
from dayfly.providers.aws.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

BOUND_SECONDS = 20.0
ROLE = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
SETTINGS: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster": "jobs",
    "subnets": ("subnet-0123456789abcdef0",),
    "execution_role": ROLE,
    "log_settle_seconds": 0.0,
    "log_drain_seconds": 1.0,
}


def job(**fields: Any) -> JobSpec:
    """A job of the emulator's little language: ``job(exit_code=3)``, or any command."""
    own = {k: fields.pop(k) for k in list(fields) if k in JobSpec.__dataclass_fields__}
    command = own.pop("command", None)
    if command is None and "run_command" not in own:
        command = tuple(emulate(**fields))
    return JobSpec(image=own.pop("image", "alpine:3"), command=command or (), **own)


@dataclass
class Account:
    """One emulated account, and a configuration of the provider that works in it."""

    emulator: Emulator
    session: Session

    @property
    def services(self) -> Services:
        return Services(
            submitter=Submitter(self.session),
            observer=Observer(self.session),
            canceler=Canceler(self.session),
            inventory=Inventory(self.session),
        )

    @asynccontextmanager
    async def jobs(self, timing: Timing | None = None) -> AsyncIterator[Jobs]:
        async with Jobs(self.services, provider="aws", timing=timing) as jobs:
            yield jobs

    async def submit(self, spec: JobSpec, key: str = "", instead_of: str = "") -> Submitted:
        submission = Submission(spec=spec, key=key or uuid.uuid4().hex, instead_of=instead_of)
        return await Submitter(self.session).submit(submission, lambda _: None)

    async def start(self, spec: JobSpec, key: str = "") -> JobHandle:
        return (await self.submit(spec, key)).handle

    async def status(self, handle: JobHandle) -> JobStatus:
        [status] = await Observer(self.session).statuses([handle])
        return status

    async def end(self, handle: JobHandle) -> JobStatus:
        async with asyncio.timeout(BOUND_SECONDS):
            while not (status := await self.status(handle)).final:  # noqa: ASYNC110 - a cloud
                await asyncio.sleep(0.02)
        return status

    async def finish(self, spec: JobSpec) -> JobStatus:
        return await self.end(await self.start(spec))

    def requests(self, operation: str) -> list[dict[str, Any]]:
        return [sent for name, sent in self.emulator.requests if name == operation]


@pytest.fixture
async def open_account() -> AsyncIterator[Callable[..., Any]]:
    """Opens an account: knobs of the emulator, and settings of the provider."""
    opened: list[Account] = []

    async def open_one(settings: dict[str, Any] | None = None, **knobs: Any) -> Account:
        emulator = await Emulator(Knobs(**knobs)).__aenter__()
        session = Session()
        config = Config(**(SETTINGS | {"endpoint_url": emulator.url} | (settings or {})))
        await session.configure(config)
        account = Account(emulator, session)
        opened.append(account)
        return account

    yield open_one
    for account in opened:
        await account.session.close()
        await account.emulator.__aexit__(None, None, None)
        assert account.emulator.violations == []


@pytest.fixture
async def account(open_account: Callable[..., Any]) -> Account:
    """An account with nothing wrong."""
    return await open_account()
