"""Where ``ps`` has its jobs from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dayfly.cli.session import start
from dayfly.cli.warned import run_told
from dayfly.contract.errors import DayflyError
from dayfly.contract.groups import TaskGroup
from dayfly.contract.jobs import JobState
from dayfly.jobs import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dayfly.api import Connection
    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.jobs import JournalEntry


@dataclass(frozen=True, kw_only=True)
class Row:
    """One job of a list."""

    name: str
    provider: str
    key: str = ""
    handle: JobHandle | None = None
    status: JobStatus | None = None
    created: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    warning: str = ""


@dataclass(kw_only=True)
class Listing:
    """Jobs, and the providers that could not be asked."""

    rows: list[Row] = field(default_factory=list)
    failures: dict[str, DayflyError] = field(default_factory=dict)


def of_provider(on: str) -> Listing:
    """Everything that a provider knows as a job of dayfly.

    Raises:
        DayflyError: It cannot be asked.
    """
    return run_told(_of_provider(start(on)))


def of_journal() -> Listing:
    """What was launched from here and is not removed; each job that may run is looked at."""
    return run_told(_of_journal())


async def _of_provider(connection: Connection) -> Listing:
    async with connection as provider:
        listed = await provider.jobs.list()
    names = {entry.key: entry.name for entry in await _entries()}
    return Listing(
        rows=[
            Row(
                name=names.get(job.key) or job.status.handle.name,
                provider=connection.provider,
                key=job.key,
                handle=job.status.handle,
                status=job.status,
                created=job.status.created,
                labels=job.labels,
                warning=job.warning,
            )
            for job in listed
        ]
    )


async def _of_journal() -> Listing:
    listing = Listing()
    begun = [entry for entry in await _entries() if _may_run(entry)]
    async with TaskGroup() as group:
        for name in dict.fromkeys(entry.provider for entry in begun):
            group.create_task(_refresh(name, listing))
    listing.rows = [_row(entry, listing) for entry in await _entries()]
    return listing


async def _refresh(name: str, listing: Listing) -> None:
    """Have the journal know what this provider knows of the jobs that may run."""
    try:
        async with start(name) as provider:
            await provider.jobs.recover()
            asked = [e for e in await _entries() if e.provider == name and _may_run(e)]
            looks = (
                provider.jobs.attach(entry.handle, key=entry.key, name=entry.name).status()
                for entry in asked
                if entry.handle
            )
            for result in await asyncio.gather(*looks, return_exceptions=True):
                if isinstance(result, BaseException):
                    raise result
    except DayflyError as error:
        listing.failures[name] = error


def _may_run(entry: JournalEntry) -> bool:
    return entry.status is None or not entry.status.final


async def _entries() -> list[JournalEntry]:
    """What the journal has and nobody removed."""
    return await asyncio.to_thread(_read_entries)


def _read_entries() -> list[JournalEntry]:
    return [entry for entry in Journal.open().entries() if not entry.deleted]


def _row(entry: JournalEntry, listing: Listing) -> Row:
    return Row(
        name=entry.name,
        provider=entry.provider,
        key=entry.key,
        handle=entry.handle,
        status=entry.status,
        created=entry.created,
        warning=_warning(entry, listing) if _may_run(entry) else "",
    )


def _warning(entry: JournalEntry, listing: Listing) -> str:
    if entry.provider in listing.failures:
        return "as last seen: its provider could not be asked"
    if entry.handle is None:
        return "its launch was not answered, and its provider has no job of its key"
    if entry.status and entry.status.state is JobState.UNKNOWN:
        return "its provider has no record of it"
    return "its stop was asked for, and it still runs" if entry.cancel_requested else ""
