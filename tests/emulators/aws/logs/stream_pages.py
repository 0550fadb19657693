"""GetLogEvents: one stream, page by page.

A token is a place in the order of timestamps. A line that becomes readable only after a page
went past its place is not given by the tokens that follow [?]: who reads with forward tokens
alone loses what was ingested out of order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import break_rule
from tests.emulators.aws.logs.groups import group_of, stream_of
from tests.emulators.aws.logs.streams import OVERHEAD, Stream
from tests.emulators.aws.logs.tokens import read_stream_token, stream_token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.emulators.aws.regions import Region

MOST_BYTES: Final = 1024 * 1024
MOST_EVENTS: Final = 10_000


def get_log_events(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """GetLogEvents."""
    stream = stream_of(region, group_of(region, request), request["logStreamName"])
    token = request.get("nextToken")
    now = region.now()
    start, end = request.get("startTime"), request.get("endTime")
    first, last = stream.numbers_between(start, end, now, inclusive=False)
    forward = bool(request.get("startFromHead", False))
    place = first if forward else last
    if token is not None:
        direction, place = read_stream_token(token, stream, region.knobs.log_token_seconds)
        if direction == "f" and not forward:
            message = "startFromHead must be true with a nextForwardToken"
            break_rule("InvalidParameterException", message)
        forward = direction == "f"
    most = request.get("limit", MOST_EVENTS)
    if forward:
        numbers = _fitting(stream, stream.readable(max(place, first), last, now), most)
    else:
        there = list(stream.readable(first, min(place, last), now))
        numbers = _fitting(stream, reversed(there), most)[::-1]
    if numbers and is_withheld(region):
        # A token of its own, so that nobody takes the empty page for the end.
        return _page(stream, [], token, place, place, nonce=region.pages)
    before = numbers[0] if numbers else place
    after = numbers[-1] + 1 if numbers else place
    return _page(stream, numbers, token, before, after)


def _page(
    stream: Stream,
    numbers: list[int],
    token: str | None,
    before: int,
    after: int,
    *,
    nonce: int = 0,
) -> dict[str, Any]:
    forward = stream_token("f", after, stream, nonce)
    backward = stream_token("b", before, stream, nonce)
    if token is not None and not numbers and not nonce:
        # The end in this direction: the token that came goes back.
        if token.startswith("f/"):
            forward = token
        else:
            backward = token
    return {
        "events": [stream.event(number) for number in numbers],
        "nextForwardToken": forward,
        "nextBackwardToken": backward,
    }


def _fitting(stream: Stream, numbers: Iterable[int], most: int) -> list[int]:
    chosen: list[int] = []
    size = 0
    for number in numbers:
        size += len(stream.script.line(number).encode()) + OVERHEAD
        if len(chosen) >= most or (chosen and size > MOST_BYTES):
            break
        chosen.append(number)
    return chosen


def is_withheld(region: Region) -> bool:
    """Whether this page is one of those that come empty first."""
    every = region.knobs.log_empty_page_every
    region.pages += 1
    return bool(every) and region.pages % every == 0
