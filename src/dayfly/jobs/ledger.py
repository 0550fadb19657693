"""The journal off the event loop, for one provider; or none at all."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dayfly.contract.errors import FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.jobs.entries import JournalEntry
    from dayfly.jobs.journal import Journal

_log = logging.getLogger("dayfly.jobs")


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a provider's jobs write down. Without a journal every method does nothing.

    Attributes:
        provider: Name of the configuration.
        journal: None writes nothing down.
    """

    provider: str
    journal: Journal | None

    async def intend(self, *, plugin: str, key: str, name: str, digest: str) -> JournalEntry | None:
        """Write an intent down, or see what the key has already.

        Raises:
            AlreadyExists: The key belongs to another job.
            FailedPrecondition: The journal cannot be written: nothing may be launched.
        """
        journal = self.journal
        if journal is None:
            return None
        return await asyncio.to_thread(
            journal.intend,
            provider=self.provider,
            plugin=plugin,
            key=key,
            name=name,
            digest=digest,
        )

    async def get(self, key: str) -> JournalEntry | None:
        """What is written of a key."""
        if self.journal is None or not key:
            return None
        return await asyncio.to_thread(self.journal.get, self.provider, key)

    async def unanswered(self) -> list[JournalEntry]:
        """Launches that were written down, and whose answer nobody saw."""
        if self.journal is None:
            return []
        entries = await asyncio.to_thread(self.journal.entries)
        return [
            entry
            for entry in entries
            if entry.provider == self.provider and entry.handle is None and not entry.never_launched
        ]

    async def present(self) -> list[tuple[str, JobHandle]]:
        """Key and handle of every launch whose leftovers may still be there."""
        if self.journal is None:
            return []
        entries = await asyncio.to_thread(self.journal.entries)
        return [
            (entry.key, entry.handle)
            for entry in entries
            if entry.provider == self.provider and entry.handle and entry.deleted is None
        ]

    async def withdraw(self, key: str) -> None:
        """Take an intent back."""
        await self._write(key, lambda journal: journal.withdraw(self.provider, key))

    async def launched(self, key: str, handle: JobHandle) -> None:
        """The launch was answered."""
        await self._write(key, lambda journal: journal.launched(self.provider, key, handle))

    async def found(self, key: str, handle: JobHandle | None) -> None:
        """What the provider has for a launch that was not answered."""
        await self._write(key, lambda journal: journal.found(self.provider, key, handle))

    async def cancel_requested(self, key: str) -> None:
        """A stop was asked for."""
        await self._write(key, lambda journal: journal.cancel_requested(self.provider, key))

    async def observed(self, key: str, status: JobStatus) -> None:
        """How the job stands."""
        await self._write(key, lambda journal: journal.observed(self.provider, key, status))

    async def deleted(self, key: str) -> None:
        """Its leftovers are gone."""
        await self._write(key, lambda journal: journal.deleted(self.provider, key))

    async def _write(self, key: str, change: Callable[[Journal], None]) -> None:
        """Past the intent the job is what counts: a full disk must not lose sight of it."""
        if self.journal is None or not key:
            return
        try:
            await asyncio.to_thread(change, self.journal)
        except FailedPrecondition as error:
            _log.warning("%s", error.message)
