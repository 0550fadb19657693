"""Launch, watch, follow, cancel, reattach, journal: the behaviour, once for every provider.

Names are imported when they are first used: reading the journal needs no asyncio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.jobs.entries import JournalEntry
    from dayfly.jobs.job import Job
    from dayfly.jobs.jobs import Jobs
    from dayfly.jobs.journal import Journal
    from dayfly.jobs.records import LogRecord
    from dayfly.jobs.timing import Timing

_HOMES = {
    "Job": "dayfly.jobs.job",
    "Jobs": "dayfly.jobs.jobs",
    "Journal": "dayfly.jobs.journal",
    "JournalEntry": "dayfly.jobs.entries",
    "LogRecord": "dayfly.jobs.records",
    "Timing": "dayfly.jobs.timing",
}

__all__ = ["Job", "Jobs", "Journal", "JournalEntry", "LogRecord", "Timing"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'dayfly.jobs' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
