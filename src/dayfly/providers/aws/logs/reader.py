"""A job's output as CloudWatch Logs keeps it: a line is an event of the job's log stream.

What CloudWatch takes apart stays so: the awslogs driver cuts lines of more than 16 KiB
(Docker) or 256 KiB, and replaces what is no UTF-8; stdout and stderr come as one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import NotFound
from dayfly.contract.jobs import LogBatch, Stream
from dayfly.providers.aws.logs.cursor import milliseconds, question_of
from dayfly.providers.aws.logs.sharing import Sharing
from dayfly.providers.aws.logs.stream import tail_start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dayfly.contract.jobs import LogQuery
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where a job's output is in CloudWatch Logs.

    Attributes:
        region: Of the group.
        group: Log group.
        stream: Log stream.
        since: No line is older than this; None where that is not known.
        ended: The job has ended: its stream, where missing, will not come any more.
    """

    region: str
    group: str
    stream: str
    since: datetime | None = None
    ended: bool = False


class LogReader:
    """Reads CloudWatch Logs, for any number of readers."""

    def __init__(self, aws: Aws, config: Config) -> None:
        self._aws = aws
        self._settle_ms = round(config.log_settle_seconds * 1000)
        self._groups: dict[tuple[str, str], Sharing] = {}

    async def page(self, place: LogPlace, query: LogQuery) -> Sequence[LogBatch]:
        """What there is from the cursor on, one page of it.

        Nothing at all says that there is no more now, or no such stream. For who follows,
        what was ingested less than ``log_settle_seconds`` ago is not in it; who only looks
        gets all that is visible now. A batch without data has a cursor that is cheaper to go
        on from.

        Args:
            place: The job's stream.
            query: ``follow`` says that the reader comes back soon, and may be read for
                together with others.

        Raises:
            InvalidField: The cursor is none of this provider's.
            DayflyError: As AWS says.
        """
        question = question_of(place, query)
        sharing = self._groups.get((place.region, place.group))
        if sharing is None:
            sharing = Sharing(self._aws, self._settle_ms)
            self._groups[place.region, place.group] = sharing
        settle_ms = self._settle_ms if query.follow else 0
        if query.tail_lines is None:
            if query.follow:
                return await sharing.read(question)
            return await sharing.read_alone(question, settle_ms)
        since = milliseconds(query.since)
        try:
            tail = await tail_start(self._aws, place, query.tail_lines, since, settle_ms)
        except NotFound:
            return ()
        if tail.position > question.cursor.position:
            question = replace(question, cursor=tail)
        # The cursor counts even where there is no line: all that comes after it is new.
        nothing = LogBatch(stream=Stream.COMBINED, data=b"", cursor=str(question.cursor))
        return await sharing.read_alone(question, settle_ms) or (nothing,)

    async def close(self) -> None:
        """Ask nothing more."""
        for sharing in self._groups.values():
            await sharing.close()
        self._groups.clear()
