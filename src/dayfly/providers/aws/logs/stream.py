"""One log stream by itself: forward from a cursor, and backward for its last lines.

Source: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html:
a page may be empty without being the last; the last gives back the token that was sent.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.providers.aws.errors import incomplete
from dayfly.providers.aws.logs.cursor import Cursor
from dayfly.providers.aws.logs.events import Reading, clock_ms, has_settled, in_order

if TYPE_CHECKING:
    from dayfly.contract.jobs import LogBatch
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.logs.cursor import Question
    from dayfly.providers.aws.logs.reader import LogPlace

_MOST_EVENTS: Final = 10_000
#: Asked for beyond the lines of a tail: what has not settled, and others of one millisecond.
_SPARE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPage:
    """What there was.

    Attributes:
        batches: The output, or nothing but a better cursor.
        empty_at: CloudWatch's clock when the stream had nothing new, in ms; None if it had.
    """

    batches: tuple[LogBatch, ...]
    empty_at: int | None


async def read_stream(aws: Aws, question: Question, settle_ms: int) -> StreamPage:
    """The page behind a question's cursor; empty ones before it are passed over.

    Raises:
        NotFound: The stream or its group is not there.
        DayflyError: As AWS says.
    """
    if question.cursor.token:
        # Of 24 hours ago, damaged or another stream's: then the position says the same.
        with suppress(InvalidField):
            return await _read(aws, question, settle_ms, question.cursor.token)
    return await _read(aws, question, settle_ms, "")


async def _read(aws: Aws, question: Question, settle_ms: int, token: str) -> StreamPage:
    reading = Reading(question, settle_ms, by_token=bool(token))
    # Pages of one question repeat it: some count their tokens within what it leaves.
    begin = {} if token else {"startTime": question.cursor.ms}
    while True:
        where = begin | ({"nextToken": token} if token else {})
        answer = await _page(aws, question.place, startFromHead=True, **where)
        now = clock_ms(answer)
        reading.take(answer["events"], now)
        sent, token = token, answer.get("nextForwardToken") or token
        if reading.answered:
            return StreamPage(batches=reading.batches(token), empty_at=None)
        if token == sent:
            return StreamPage(batches=reading.batches(token), empty_at=now)


async def tail_start(
    aws: Aws, place: LogPlace, lines: int, since_ms: int, settle_ms: int
) -> Cursor:
    """Where the last lines begin, of those that have settled.

    Args:
        aws: Who is asked.
        place: The stream.
        lines: How many.
        since_ms: Older ones do not count, in ms since 1970.
        settle_ms: As for ``Reading``.

    Raises:
        NotFound: The stream or its group is not there.
        DayflyError: As AWS says.
    """
    limit, token = min(lines + _SPARE, _MOST_EVENTS), ""
    newest_first: list[int] = []
    while True:
        where = {"nextToken": token} if token else {}
        answer = await _page(
            aws, place, startFromHead=False, limit=limit, startTime=since_ms, **where
        )
        now = clock_ms(answer)
        for event in reversed(in_order(answer["events"])):
            if has_settled(event, now, settle_ms):
                newest_first.append(int(event["timestamp"]))
            else:
                newest_first.clear()
        sent, token = token, answer.get("nextBackwardToken") or token
        before = newest_first[lines:]
        # One that is older still shows that all of the same millisecond were seen.
        if token == sent or (before and before[-1] < before[0]):
            return Cursor(before[0], before.count(before[0])) if before else Cursor(since_ms)


async def _page(aws: Aws, place: LogPlace, **how: Any) -> dict[str, Any]:
    tried = f"reading {place.stream} of the log group {place.group}"
    answer = await aws.call(
        "logs",
        "GetLogEvents",
        region=place.region,
        tried=tried,
        logGroupName=place.group,
        logStreamName=place.stream,
        **how,
    )
    if "events" not in answer:
        raise incomplete(tried, answer)
    return answer
