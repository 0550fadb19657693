"""Jobs over any provider: launched once, watched, followed, stopped, found again."""

from dayfly.jobs.engine import Jobs
from dayfly.jobs.job import Job
from dayfly.jobs.journal import Journal, JournalEntry
from dayfly.jobs.records import LogRecord

__all__ = ["Job", "Jobs", "Journal", "JournalEntry", "LogRecord"]
