"""What of a source was delivered before, and how far that is."""

from __future__ import annotations

from dayfly.contract.jobs import LogBatch, Stream
from dayfly.providers.digitalocean.logs.cursor import Cursor


class Past:
    """Drops what was delivered before, and knows the cursor after each batch.

    Attributes:
        source: Which output.
        start: Bytes of it that were delivered before.
        total: Bytes of it that were read now.
    """

    def __init__(self, start: Cursor) -> None:
        self.source = start.source
        self.start = start.had
        self.total = 0

    @property
    def cursor(self) -> str:
        """Resumes after what was read; never before where it began."""
        return str(Cursor(self.source, max(self.total, self.start)))

    def take(self, data: bytes) -> LogBatch | None:
        """What is new of the next run of bytes; None where nothing is."""
        before, self.total = self.total, self.total + len(data)
        fresh = data[max(self.start - before, 0) :]
        if not fresh:
            return None
        return LogBatch(stream=Stream.COMBINED, data=fresh, cursor=self.cursor)


def last_lines(batches: list[LogBatch], lines: int, start: Cursor) -> LogBatch:
    """The last lines of some batches as one, which resumes after all of them."""
    data = b"".join(batch.data for batch in batches)
    last = data.splitlines(keepends=True)[-lines:] if lines else []
    cursor = batches[-1].cursor if batches else str(start)
    end = bool(batches) and batches[-1].end
    return LogBatch(stream=Stream.COMBINED, data=b"".join(last), cursor=cursor, end=end)
