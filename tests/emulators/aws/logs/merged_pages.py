"""FilterLogEvents: up to a hundred streams of a group, in the order of timestamps."""

from __future__ import annotations

import heapq
import json
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import ApiError, break_rule
from tests.emulators.aws.logs.groups import Group, group_of, stream_of
from tests.emulators.aws.logs.stream_pages import MOST_BYTES, MOST_EVENTS, is_withheld
from tests.emulators.aws.logs.streams import OVERHEAD, Stream
from tests.emulators.aws.logs.tokens import merged_token, read_merged_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulators.aws.regions import Region

_QUESTION: Final = (
    "logStreamNames",
    "logStreamNamePrefix",
    "startTime",
    "endTime",
    "filterPattern",
)
_UNPLAIN: Final = frozenset('{}[]?-%*"')

#: (timestamp, stream, number): the order of events, and the place of one
Place = tuple[int, str, int]


def filter_log_events(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """FilterLogEvents. Both ends of the time range are included, unlike GetLogEvents."""
    group, now = group_of(region, request), region.now()
    terms = _terms(request.get("filterPattern", ""))
    question = json.dumps([request.get(name) for name in _QUESTION])
    after: Place | None = None
    upwards = bool(request.get("startFromHead", True))
    if (token := request.get("nextToken")) is not None:
        upwards, *place = read_merged_token(token, question, region.knobs.log_token_seconds)
        after = (place[0], place[1], place[2]) if place else None
    streams = {stream.name: stream for stream in _streams(region, group, request)}
    if after is None and is_withheld(region):
        return {"events": [], "nextToken": merged_token([upwards], question)}
    walks = [_places(stream, request, now, after, upwards=upwards) for stream in streams.values()]
    places = heapq.merge(*walks, reverse=not upwards)
    chosen, more = _page(streams, places, request.get("limit", MOST_EVENTS), terms)
    answer: dict[str, Any] = {
        "events": [_event(streams[name], number) for _, name, number in chosen],
        "searchedLogStreams": [],
    }
    if more:
        answer["nextToken"] = merged_token([upwards, *chosen[-1]], question)
    return answer


def _streams(region: Region, group: Group, request: dict[str, Any]) -> Iterator[Stream]:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        message = "logStreamNames and logStreamNamePrefix are mutually exclusive"
        break_rule("InvalidParameterException", message)
    now = region.now()
    if names is None:
        for name, stream in group.streams.items():
            if name.startswith(prefix or "") and stream.exists(now):
                yield stream
        return
    for name in dict.fromkeys(names):
        try:
            yield stream_of(region, group, name)
        except ApiError:
            if not region.knobs.filter_tolerates_missing_streams:
                raise


def _places(
    stream: Stream, request: dict[str, Any], now: float, after: Place | None, *, upwards: bool
) -> Iterator[Place]:
    start, end = request.get("startTime"), request.get("endTime")
    if after is not None:
        start, end = (after[0], end) if upwards else (start, after[0])
    first, last = stream.numbers_between(start, end, now, inclusive=True)
    numbers: Any = stream.readable(first, last, now)
    if not upwards:
        numbers = reversed(list(numbers))
    for number in numbers:
        place = (stream.timestamp(number), stream.name, number)
        if after is None or (place > after if upwards else place < after):
            yield place


def _page(
    streams: dict[str, Stream], places: Iterator[Place], most: int, terms: list[str]
) -> tuple[list[Place], bool]:
    chosen: list[Place] = []
    size = 0
    for place in places:
        message = streams[place[1]].script.line(place[2])
        if not all(term in message for term in terms):
            continue
        size += len(message.encode()) + OVERHEAD
        if len(chosen) >= most or (chosen and size > MOST_BYTES):
            return chosen, True
        chosen.append(place)
    return chosen, False


def _event(stream: Stream, number: int) -> dict[str, Any]:
    event = stream.event(number)
    return {"logStreamName": stream.name, **event, "eventId": stream.event_id(number)}


def _terms(pattern: str) -> list[str]:
    """Words that all have to be in a line. The rest of the pattern language is not here."""
    terms = pattern.split()
    for term in terms:
        if _UNPLAIN & set(term):
            break_rule("InvalidParameterException", f"filterPattern: {term!r} is not emulated")
    return terms
