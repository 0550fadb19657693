"""A scripted provider, a journal of its own, and pauses short enough for tests."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest
from tests.jobs.scripted import Scripted
from tests.no_time import NoTime

from dayfly.jobs import Jobs, Journal, Timing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from dayfly.contract.services import Services

#: Short everywhere; bounds are a hundred times the pauses.
SHORT = Timing(
    error_deadline=0.4,
    launch_deadline=0.4,
    cancel_deadline=0.4,
    default_grace=0.1,
    withdrawal=0.1,
    backoff_first=0.004,
    backoff_max=0.02,
    quiet=0.1,
    page_first=0.002,
    page_max=0.01,
)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], NoTime]]:
    return {"loop": NoTime}


def aged(journal: Journal, key: str, seconds: float) -> None:
    """What is written of a launch is that much older."""
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        changed = "UPDATE jobs SET created = created - ?, launched = launched - ? WHERE key = ?"
        assert connection.execute(changed, (seconds, seconds, key)).rowcount == 1


@pytest.fixture
def provider() -> Scripted:
    return Scripted()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path / "state" / "journal.sqlite3")


@pytest.fixture
def opened(provider: Scripted, journal: Journal) -> Callable[..., object]:
    """Opens Jobs on the scripted provider, or on other services of it."""

    @asynccontextmanager
    async def open_jobs(
        services: Services | None = None, timing: Timing = SHORT
    ) -> AsyncIterator[Jobs]:
        services = services or provider.services()
        async with Jobs(services, provider="prod", journal=journal, timing=timing) as jobs:
            yield jobs

    return open_jobs
