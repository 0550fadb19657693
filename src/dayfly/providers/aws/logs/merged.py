"""Many log streams of one group in one call, from one time on.

Source: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html:
up to 100 streams; events come in the order of timestamp, ingestion and request; a page with
a token is not the last, even if it is empty.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dayfly.providers.aws.errors import incomplete
from dayfly.providers.aws.logs.events import Reading, clock_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.logs.cursor import Question

MOST_STREAMS: Final = 100
#: Of 1 MB each, before those who have something get it.
_MOST_PAGES: Final = 5
#: A page of so many events may have been cut, token or not.
_FULL_PAGE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedPages:
    """What there was.

    Attributes:
        readings: One for each question, in their order.
        whole: There is no more than this; else what has nothing may yet have something.
        now: CloudWatch's clock, in ms since 1970.
    """

    readings: Sequence[Reading]
    whole: bool
    now: int


async def read_merged(
    aws: Aws, questions: Sequence[Question], from_ms: int, settle_ms: int
) -> MergedPages:
    """Pages until there is something for everyone, or no more, or enough.

    Args:
        aws: Who is asked.
        questions: About streams of one group, 100 at most.
        from_ms: Nothing older is read, in ms since 1970.
        settle_ms: As for ``Reading``.

    Raises:
        NotFound: The group, or one of the streams, is not there.
        DayflyError: As AWS says.
    """
    readings = [Reading(question, settle_ms) for question in questions]
    by_stream: defaultdict[str, list[Reading]] = defaultdict(list)
    for question, reading in zip(questions, readings, strict=True):
        by_stream[question.place.stream].append(reading)
    token, cut, now = "", True, 0
    for _ in range(_MOST_PAGES):
        answer = await _page(aws, questions[0], list(by_stream), from_ms, token)
        events, now = answer["events"], clock_ms(answer)
        for stream, of_stream in _by_stream(events).items():
            for reading in by_stream.get(stream, ()):
                reading.take(of_stream, now)
        token = answer.get("nextToken") or ""
        cut = bool(token) or len(events) >= _FULL_PAGE
        if not token or all(reading.answered for reading in readings):
            break
    return MergedPages(readings=readings, whole=not cut, now=now)


def _by_stream(
    events: Sequence[Mapping[str, Any]],
) -> dict[str, list[Mapping[str, Any]]]:
    parted: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        parted[event["logStreamName"]].append(event)
    return parted


async def _page(
    aws: Aws, one: Question, streams: list[str], from_ms: int, token: str
) -> dict[str, Any]:
    tried = f"reading {len(streams)} streams of the log group {one.place.group}"
    answer = await aws.call(
        "logs",
        "FilterLogEvents",
        region=one.place.region,
        tried=tried,
        logGroupName=one.place.group,
        logStreamNames=streams,
        startTime=from_ms,
        **({"nextToken": token} if token else {}),
    )
    if "events" not in answer:
        raise incomplete(tried, answer)
    return answer
