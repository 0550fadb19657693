"""The journal, for one provider and off the loop; without a journal, nothing is written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.jobs.journal import Journal, JournalEntry


@dataclass(frozen=True)
class Ledger:
    """What one provider's jobs write down.

    Attributes:
        provider: The configuration's name.
        journal: Where; None writes nothing.
    """

    provider: str
    journal: Journal | None

    async def intend(self, key: str, name: str, digest: str) -> JournalEntry | None:
        """As ``Journal.intend``."""
        if self.journal is None:
            return None
        return await asyncio.to_thread(
            self.journal.intend, provider=self.provider, key=key, name=name, digest=digest
        )

    async def launched(self, key: str, handle: JobHandle) -> None:
        """As ``Journal.launched``."""
        if self.journal and key:
            await asyncio.to_thread(self.journal.launched, self.provider, key, handle)

    async def forget(self, key: str) -> None:
        """As ``Journal.forget``."""
        if self.journal and key:
            await asyncio.to_thread(self.journal.forget, self.provider, key)

    async def observed(self, key: str, status: JobStatus) -> None:
        """As ``Journal.observed``."""
        if self.journal and key:
            await asyncio.to_thread(self.journal.observed, self.provider, key, status)

    async def cancel_requested(self, key: str) -> None:
        """As ``Journal.cancel_requested``."""
        if self.journal and key:
            await asyncio.to_thread(self.journal.cancel_requested, self.provider, key)

    async def removing(self, key: str) -> None:
        """As ``Journal.removed``; written before the removal, which may be cut off."""
        if self.journal and key:
            await asyncio.to_thread(self.journal.removed, self.provider, key)

    async def open_intents(self) -> list[JournalEntry]:
        """Launches of this provider that were never answered."""
        if self.journal is None:
            return []
        entries = await asyncio.to_thread(self.journal.entries)
        return [e for e in entries if e.provider == self.provider and e.handle is None]
