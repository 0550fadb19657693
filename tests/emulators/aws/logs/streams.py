"""The lines of one container: worked out from its script and the clock, kept nowhere."""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulators.aws.ecs.tasks import Task
    from tests.emulators.aws.knobs import Knobs
    from tests.emulators.aws.script import Script

#: What CloudWatch adds to each event's bytes when it counts; for a page [?].
OVERHEAD: Final = 26


@dataclass(slots=True)
class Stream:
    """One log stream. A line's place is its number, which is also the order of timestamps."""

    name: str
    task: Task
    index: int
    knobs: Knobs
    script: Script = field(init=False)
    step: float = field(init=False)
    checksum: int = field(init=False)

    def __post_init__(self) -> None:
        self.script = self.task.course.parts[self.index].script
        self.step = self.script.step(self.knobs.default_run_seconds)
        self.checksum = zlib.crc32(self.name.encode())

    def timestamp(self, number: int) -> int:
        """When a line is written, in milliseconds."""
        return int((self.task.timeline.started + number * self.step) * 1000)

    def readable_at(self, number: int) -> int:
        """When it can be read, in milliseconds: its ingestion."""
        knobs = self.knobs
        late = number // knobs.log_reorder_batch % 2 == 0
        delay = knobs.log_lag_seconds + (knobs.log_reorder_seconds if late else 0.0)
        return self.timestamp(number) + int(delay * 1000)

    def written(self, now: float) -> int:
        """How many lines there are, readable or not."""
        line = self.task.timeline
        until = min(now, line.exits[self.index].at)
        if not math.isfinite(line.started) or until < line.started:
            return 0
        if not self.step:
            return self.script.count
        # The end of the run takes in the last line that is due with it.
        reached = math.floor((until - line.started) / self.step + 1e-9) + 1
        return min(self.script.count, reached)

    def readable(self, first: int, last: int, now: float) -> Iterator[int]:
        """The numbers of lines in a range that can be read now."""
        at = int(now * 1000)
        return (number for number in range(first, last) if self.readable_at(number) <= at)

    def last_readable(self, now: float) -> int:
        """No line from this number on can be read yet."""
        return self.written(now - self.knobs.log_lag_seconds)

    def numbers_between(
        self, start: int | None, end: int | None, now: float, *, inclusive: bool
    ) -> tuple[int, int]:
        """First and last of the lines whose timestamps are in a range."""
        total = range(self.last_readable(now))
        first = bisect_left(total, start, key=self.timestamp) if start is not None else 0
        if end is None:
            return first, len(total)
        search = bisect_right if inclusive else bisect_left
        return first, search(total, end, key=self.timestamp)

    def exists(self, now: float) -> bool:
        """Whether the stream is there at all."""
        if self.knobs.log_streams_appear_at_start:
            return now >= self.task.timeline.started
        # The first batch may be a late one, and the second the first to be read.
        starts = {0, self.knobs.log_reorder_batch}
        written = self.written(now)
        return any(number < written and self.readable_at(number) <= now * 1000 for number in starts)

    def event(self, number: int) -> dict[str, Any]:
        """As GetLogEvents gives it."""
        return {
            "timestamp": self.timestamp(number),
            "message": self.script.line(number),
            "ingestionTime": self.readable_at(number),
        }

    def event_id(self, number: int) -> str:
        """Unique, and the same each time."""
        return f"{self.timestamp(number):013d}{self.checksum:010d}{number:033d}"
