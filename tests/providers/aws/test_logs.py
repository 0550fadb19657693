"""Every line of each stream, once and in order, whichever call it comes by."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from tests.emulators.aws import PUBLISHED_RATES, Fault
from tests.emulators.aws.errors import ApiError
from tests.emulators.aws.script import emulate

from dayfly.contract.errors import InvalidField, PermissionDenied, Stopped, Throttled, Unavailable
from dayfly.contract.jobs import JobHandle, JobState, JobStatus, LogQuery, Stream
from dayfly.contract.provider import Description
from dayfly.jobs.follow import Follow
from dayfly.jobs.timing import Timing
from dayfly.providers.aws.client import RATES, Aws
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.logs.events import BATCH
from dayfly.providers.aws.logs.reader import LogPlace, LogReader
from dayfly.providers.aws.observer import Observer
from dayfly.providers.aws.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from dayfly.contract.jobs import LogBatch
    from dayfly.sdk.pacing import Rate

REGION, GROUP = "eu-west-1", "/dayfly/jobs"
OLD = int(time.time() * 1000) - 3_600_000
FOLLOW = LogQuery(follow=True)


class Kept:
    """Log streams of one group, with every timestamp and ingestion as a test wants them.

    Attributes:
        streams: (timestamp, message, ingestion) by stream; what is added is visible.
        page: Events in a page.
        refuses_missing: A call for many is refused for one that is not there.
        requests: What was asked, as (operation, members).
        generation: Tokens of another one are refused.
    """

    def __init__(self, scripted: Any) -> None:
        self.streams: dict[str, list[tuple[int, str, int]]] = {}
        self.page = 10_000
        self.refuses_missing = True
        self.generation = 0
        self.requests: list[tuple[str, dict[str, Any]]] = []
        scripted.answers |= {
            "logs.GetLogEvents": self.one, "logs.FilterLogEvents": self.many
        }  # fmt: skip

    def add(self, stream: str, *lines: str, at: int = OLD, ingested: int | None = None) -> None:
        there = self.streams.setdefault(stream, [])
        there += [(at, line, at if ingested is None else ingested) for line in lines]
        there.sort(key=lambda event: event[0])

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [members for name, members in self.requests if name == operation]

    def one(self, call: Any) -> Any:
        members = call.parameters()
        self.requests.append((call.operation, members))
        token = members.get("nextToken", "")
        if members["logStreamName"] not in self.streams:
            return _missing("stream")
        if token and not token.endswith(f"/{self.generation}"):
            return ApiError("InvalidParameterException", "The specified nextToken is invalid.")
        name = members["logStreamName"]
        events = [self._event(name, event) for event in self.streams[name]]
        start = sum(event["timestamp"] < members.get("startTime", 0) for event in events)
        size = min(members.get("limit", self.page), self.page)
        if token.startswith("b/") or (not token and not members.get("startFromHead")):
            last = int(token.split("/")[1]) if token else len(events)
            first = max(last - size, start)
        else:
            first = int(token.split("/")[1]) if token else start
            last = min(first + size, len(events))
        return {
            "events": [{k: event[k] for k in event if k[0] != "l"} for event in events[first:last]],
            "nextForwardToken": f"f/{last}/{self.generation}",
            "nextBackwardToken": f"b/{first}/{self.generation}",
        }

    def many(self, call: Any) -> Any:
        members = call.parameters()
        self.requests.append((call.operation, members))
        names = members["logStreamNames"]
        if self.refuses_missing and not set(names) <= set(self.streams):
            return _missing("stream")
        events = [
            self._event(name, event)
            for name in names
            for event in self.streams.get(name, ())
            if event[0] >= members["startTime"]
        ]
        events.sort(key=lambda event: event["timestamp"])
        first = int(members.get("nextToken", 0))
        last = first + self.page
        more = {"nextToken": str(last)} if last < len(events) else {}
        return {"events": events[first:last], **more}

    def _event(self, name: str, event: tuple[int, str, int]) -> dict[str, Any]:
        at, message, ingested = event
        return {
            "logStreamName": name, "timestamp": at, "message": message, "ingestionTime": ingested
        }  # fmt: skip


def _missing(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"The specified log {what} does not exist.")


@pytest.fixture
def kept(scripted: Any) -> Kept:
    return Kept(scripted)


@pytest.fixture
async def make_reader() -> AsyncIterator[Callable[..., LogReader]]:
    """Readers without a pace, or with that of AWS."""
    made: list[tuple[LogReader, Aws]] = []

    def make(url: str, settle: float = 2.0, rates: Mapping[str, Rate] | None = None) -> LogReader:
        config = Config(region=REGION, endpoint_url=url, log_settle_seconds=settle)
        aws = Aws(config, rates=rates or {})
        made.append((LogReader(aws, config), aws))
        return made[-1][0]

    yield make
    for reader, aws in made:
        await reader.close()
        await aws.close()


@pytest.fixture
def reader(make_reader: Any, scripted: Any) -> LogReader:
    made: LogReader = make_reader(scripted.url)
    return made


@pytest.fixture
async def unpaced(emulator: Any) -> AsyncIterator[Aws]:
    aws = Aws(Config(region=REGION, endpoint_url=emulator.url), rates={})
    yield aws
    await aws.close()


def place(stream: str = "a", **fields: Any) -> LogPlace:
    return LogPlace(region=REGION, group=GROUP, stream=stream, **fields)


async def pages(reader: LogReader, where: LogPlace, **query: Any) -> list[Any]:
    """All batches that there are now."""
    asked, batches = LogQuery(**query), []
    while page := await reader.page(where, asked):
        batches += page
        asked = replace(asked, cursor=page[-1].cursor, tail_lines=None)
    return batches


async def output(reader: LogReader, where: LogPlace, **query: Any) -> str:
    return b"".join(batch.data for batch in await pages(reader, where, **query)).decode()


async def together(reader: LogReader, *asked: tuple[LogPlace, str]) -> list[Any]:
    """A page of each, in one call if it may be; text and last cursor."""
    read = [reader.page(where, replace(FOLLOW, cursor=cursor)) for where, cursor in asked]
    return [
        (b"".join(b.data for b in page).decode(), page[-1].cursor if page else cursor)
        for page, (_, cursor) in zip(await asyncio.gather(*read), asked, strict=True)
    ]


def now_ms() -> int:
    return int(time.time() * 1000)


def lines(*texts: object) -> str:
    return "".join(f"{text}\n" for text in texts)


# One stream.


async def test_an_event_is_a_line_of_the_combined_stream(kept: Kept, reader: LogReader) -> None:
    kept.add("a", "one", "", " three\t", "Grüße \u2028 \x00", "end\r")
    batches = await pages(reader, place())
    assert {batch.stream for batch in batches} == {Stream.COMBINED}
    assert b"".join(batch.data for batch in batches).decode() == (
        "one\n\n three\t\nGrüße \u2028 \x00\nend\r\n"
    )


@pytest.mark.parametrize("page", [2, 3, 7, 100])
@pytest.mark.parametrize("by_token", [True, False])
async def test_reading_goes_on_from_every_cursor(
    kept: Kept, reader: LogReader, page: int, by_token: bool
) -> None:
    for number in range(20):
        # Six, then seven, then seven of one millisecond each.
        kept.add("a", f"line {number}", at=OLD + number // 7)
    kept.page = page
    batches = await pages(reader, place())
    whole = lines(*(f"line {n}" for n in range(20)))
    assert b"".join(batch.data for batch in batches).decode() == whole
    had = ""
    for batch in batches:
        had += batch.data.decode()
        cursor = batch.cursor if by_token else ".".join(batch.cursor.split(".")[:2])
        assert had + await output(reader, place(), cursor=cursor) == whole


async def test_a_cursor_has_the_token_only_behind_a_whole_page(
    kept: Kept, reader: LogReader
) -> None:
    kept.add("a", *("x" * 1023 for _ in range(1000)))
    page = await reader.page(place(), LogQuery())
    assert [len(batch.data) for batch in page] == [BATCH] * 3 + [1000 * 1024 - 3 * BATCH]
    assert [batch.cursor for batch in page] == [
        f"{OLD}.256", f"{OLD}.512", f"{OLD}.768", f"{OLD}.1000.f/1000/0"
    ]  # fmt: skip


async def test_a_line_larger_than_a_batch_is_whole(kept: Kept, reader: LogReader) -> None:
    kept.add("a", "before", "x" * 1_000_000, "after")
    page = await reader.page(place(), LogQuery(timestamps=True))
    assert [len(batch.data) for batch in page] == [7, 1_000_001, 6]


@pytest.mark.parametrize("expires", [True, False])
async def test_a_token_that_is_refused_is_replaced_by_the_position(
    kept: Kept, reader: LogReader, expires: bool
) -> None:
    kept.add("a", "1", "2", "3")
    kept.page = 2
    (first,) = await reader.page(place(), LogQuery())
    assert first.cursor == f"{OLD}.2.f/2/0"
    kept.generation += expires
    (second,) = await reader.page(place(), LogQuery(cursor=first.cursor))
    assert second.data == b"3\n"
    assert len(kept.asked("GetLogEvents")) == (4 if expires else 2)


async def test_a_cursor_of_another_stream_gives_this_ones_output_only(
    emulator: Any, make_aws: Any, make_reader: Any
) -> None:
    aws, reader = make_aws(endpoint_url=emulator.url), make_reader(emulator.url, settle=0)
    one, other = await launch(aws, lines=5, text="one {i}"), await launch(aws, lines=5)
    await ended(aws, one, other)
    cursor = (await pages(reader, one))[0].cursor
    assert cursor.count(".") == 2
    assert "one" not in await output(reader, other, cursor=cursor)


@pytest.mark.parametrize(
    "cursor",
    ["x", "1", "1.", ".1", "1.2.", "-1.0", "1.2.a b", "9" * 400, "1.2.\n", "1.2\n", "٣.1", "é"],
)
async def test_a_cursor_that_is_none_is_refused(kept: Kept, reader: LogReader, cursor: str) -> None:
    kept.add("a", "1")
    for query in (LogQuery(cursor=cursor), LogQuery(cursor=cursor, tail_lines=1)):
        with pytest.raises(InvalidField) as caught:
            await reader.page(place(), query)
        assert caught.value.field == "cursor"
    assert kept.requests == []


async def test_an_empty_page_is_not_the_end(emulator: Any, make_aws: Any, make_reader: Any) -> None:
    emulator.change(log_empty_page_every=2)
    aws, reader = make_aws(endpoint_url=emulator.url), make_reader(emulator.url, settle=0)
    job = await launch(aws, lines=25_000, run_seconds=0.1)
    await ended(aws, job)
    assert await output(reader, job) == lines(*(f"line {n}" for n in range(25_000)))
    assert emulator.calls["logs.GetLogEvents"] >= 6


async def test_a_reader_without_news_costs_one_call(kept: Kept, reader: LogReader) -> None:
    kept.add("a", "1")
    where = place(since=datetime.fromtimestamp(OLD / 1000, UTC))
    cursor = f"{OLD}.1"
    for calls in (2, 3, 4):
        for batch in await reader.page(where, LogQuery(cursor=cursor)):
            assert batch.data == b""
            cursor = batch.cursor
        assert len(kept.asked("GetLogEvents")) == calls
    kept.add("a", "2")
    (batch,) = await reader.page(where, LogQuery(cursor=cursor))
    assert batch.data == b"2\n"


@pytest.mark.parametrize("what", ["group", "stream"])
@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize("query", [LogQuery(), FOLLOW, LogQuery(tail_lines=3)])
async def test_what_is_not_there_is_an_empty_page(
    scripted: Any, reader: LogReader, what: str, over: bool, query: LogQuery
) -> None:
    scripted.answers["logs.GetLogEvents"] = _missing(what)
    assert await reader.page(place(ended=over), query) == ()


async def test_a_refused_call_is_an_error_and_no_empty_page(
    scripted: Any, reader: LogReader
) -> None:
    scripted.answers["logs.GetLogEvents"] = ApiError("AccessDeniedException", "no", status=400)
    with pytest.raises(PermissionDenied, match="reading a of the log group /dayfly/jobs"):
        await reader.page(place(), LogQuery())
    scripted.answers["logs.GetLogEvents"] = ApiError("ThrottlingException", "Rate exceeded")
    with pytest.raises(Throttled):
        await reader.page(place(), LogQuery())


async def test_an_answer_without_events_is_none(scripted: Any, reader: LogReader) -> None:
    scripted.answers["logs.GetLogEvents"] = web.Response(text="<html>", content_type="text/html")
    with pytest.raises(Unavailable):
        await reader.page(place(), LogQuery())


# What is asked for.


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 9, 10, 11, 50])
@pytest.mark.parametrize("page", [2, 4, 10_000])
async def test_the_tail_and_what_follows_it(
    kept: Kept, reader: LogReader, count: int, page: int
) -> None:
    for number in range(10):
        kept.add("a", str(number), at=OLD + number // 4)
    kept.page = page
    batches = await pages(reader, place(), tail_lines=count)
    text = b"".join(batch.data for batch in batches).decode()
    assert text == lines(*range(max(10 - count, 0), 10))
    assert batches[-1].cursor
    kept.add("a", "new", at=OLD + 2)
    for batch in batches[-2:]:
        rest = await output(reader, place(), cursor=batch.cursor)
        assert rest.endswith("new\n")
    assert rest == "new\n"


async def test_a_tail_of_more_than_one_page(emulator: Any, make_aws: Any, make_reader: Any) -> None:
    aws, reader = make_aws(endpoint_url=emulator.url), make_reader(emulator.url, settle=0)
    job = await launch(aws, lines=30_000, run_seconds=0.1)
    await ended(aws, job)
    tail = await output(reader, job, tail_lines=21_234)
    assert tail == lines(*(f"line {n}" for n in range(30_000 - 21_234, 30_000)))


async def test_a_tail_of_what_has_settled(kept: Kept, reader: LogReader) -> None:
    now = now_ms()
    kept.add("a", "1", "2", "3")
    kept.add("a", "4", "5", at=OLD + 1, ingested=now + 60_000)
    assert await output(reader, place(), tail_lines=2) == lines(4, 5)  # Who only looks.
    batches = await pages(reader, place(), tail_lines=2, follow=True)
    assert b"".join(batch.data for batch in batches) == b"2\n3\n"
    kept.streams["a"] = [(at, line, OLD) for at, line, _ in kept.streams["a"]]
    assert await output(reader, place(), cursor=batches[-1].cursor) == "4\n5\n"


async def test_a_tail_with_a_cursor_is_the_later_of_both(kept: Kept, reader: LogReader) -> None:
    for number in range(6):
        kept.add("a", str(number), at=OLD + number)
    assert await output(reader, place(), tail_lines=2, cursor=f"{OLD + 1}.1") == lines(4, 5)
    assert await output(reader, place(), tail_lines=5, cursor=f"{OLD + 4}.1") == lines(5)


async def test_since_leaves_out_what_came_before(kept: Kept, reader: LogReader) -> None:
    for number in range(4):
        kept.add("a", str(number), at=OLD + number)
    moment = datetime.fromtimestamp(OLD / 1000, UTC)
    for later, expected in (
        (timedelta(), lines(0, 1, 2, 3)),
        (timedelta(milliseconds=2), lines(2, 3)),
        (timedelta(milliseconds=1, microseconds=1), lines(2, 3)),
        (timedelta(hours=1), ""),
    ):
        since = moment + later
        assert await output(reader, place(), since=since) == expected
        assert await output(reader, place(), since=since, cursor=f"{OLD}.0") == expected
        assert await output(reader, place(), since=since, tail_lines=9) == expected
    assert await output(reader, place(), since=moment, cursor=f"{OLD + 2}.1") == lines(3)


async def test_each_line_has_its_time(kept: Kept, reader: LogReader) -> None:
    kept.add("a", "one", at=1_732_525_000_123)
    kept.add("a", "three", "", at=1_732_525_000_999)
    (batch,) = await reader.page(place(), LogQuery(timestamps=True))
    first = datetime(2024, 11, 25, 8, 56, 40, 123_000, UTC)
    second = first.replace(microsecond=999_000)
    assert batch.times == ((0, first), (4, second), (10, second))
    (plain,) = await reader.page(place(), LogQuery())
    assert (plain.data, plain.times) == (batch.data, ())


# What has not settled.


async def test_nothing_is_given_before_it_has_settled_nor_what_is_behind_it(
    kept: Kept, reader: LogReader
) -> None:
    now = now_ms()
    kept.add("a", "1")
    kept.add("a", "2", at=OLD + 1, ingested=now + 60_000)
    kept.add("a", "3", at=OLD + 2)
    assert await output(reader, place()) == lines(1, 2, 3)  # Who only looks sees what there is.
    (first,) = await reader.page(place(ended=True), FOLLOW)
    assert (first.data, first.cursor) == (b"1\n", f"{OLD}.1")
    assert await reader.page(place(ended=True), replace(FOLLOW, cursor=first.cursor)) == ()
    # One that comes late takes its place.
    kept.add("a", "1.5", at=OLD + 1)
    kept.streams["a"].sort(key=lambda event: (event[0], event[2]))
    (second,) = await reader.page(place(ended=True), replace(FOLLOW, cursor=first.cursor))
    assert second.data == b"1.5\n"
    kept.streams["a"] = [(at, line, OLD) for at, line, _ in kept.streams["a"]]
    assert await output(reader, place(), cursor=second.cursor) == lines(2, 3)


async def test_the_clock_is_cloudwatchs(scripted: Any, kept: Kept, reader: LogReader) -> None:
    clock = datetime(2001, 1, 1, 12, 0, 10, tzinfo=UTC)

    def one(call: Any) -> web.Response:
        body, kind = call.answer(kept.one(call), "request")
        headers = {"Content-Type": kind, "Date": format_datetime(clock, usegmt=True)}
        return web.Response(body=body, headers=headers)

    scripted.answers["logs.GetLogEvents"] = one
    base = int(clock.timestamp() * 1000)
    for age, line in ((2001, "older"), (2000, "settled"), (1999, "not yet")):
        kept.add("a", line, at=base - age, ingested=base - age)
    assert await output(reader, place(), follow=True) == lines("older", "settled")


async def test_without_settling_all_is_given(kept: Kept, scripted: Any, make_reader: Any) -> None:
    now = now_ms()
    reader = make_reader(scripted.url, settle=0)
    kept.add("a", "1", ingested=now + 60_000)
    assert await output(reader, place()) == "1\n"


# Many streams.


async def test_two_that_ask_together_share_a_call_and_are_not_mixed(
    kept: Kept, reader: LogReader
) -> None:
    for number in range(5):
        kept.add("a", f"a{number}", at=OLD + number)
        kept.add("b", f"b{number}", at=OLD + number)
    since = datetime.fromtimestamp(OLD / 1000, UTC)
    a, b = place("a", since=since), place("b", since=since)
    read = await together(reader, (a, ""), (b, ""))
    assert [text for text, _ in read] == [lines(*(f"{name}{n}" for n in range(5))) for name in "ab"]
    # Without a token, and one call goes on where the other was.
    assert [cursor for _, cursor in read] == [f"{OLD + 4}.1"] * 2
    assert [name for name, _ in kept.requests] == ["FilterLogEvents"]
    kept.add("a", "more", at=OLD + 4)
    assert await output(reader, a, cursor=read[0][1]) == "more\n"
    assert await output(reader, b, cursor=read[1][1]) == ""


async def test_two_readers_of_one_stream_each_get_their_own(kept: Kept, reader: LogReader) -> None:
    for number in range(3):
        kept.add("a", str(number), at=OLD + number)
    kept.add("b", "b", at=OLD + 1)
    read = await together(reader, (place(), f"{OLD}.0"), (place("b"), f"{OLD}.0"),
                          (place(), f"{OLD + 1}.1"))  # fmt: skip
    assert [text for text, _ in read] == [lines(0, 1, 2), "b\n", lines(2)]
    assert len(kept.requests) == 1


async def test_a_page_that_is_cut_is_a_beginning(kept: Kept, reader: LogReader) -> None:
    cursors = dict.fromkeys("abc", f"{OLD}.0")
    for number in range(30):
        for name in "abc"[: 1 + number % 3]:
            kept.add(name, f"{name}{number}", at=OLD + number // 5)
    kept.page, had = 4, dict.fromkeys("abc", "")
    for _ in range(40):
        read = await together(reader, *((place(n), cursors[n]) for n in "abc"))
        for name, (text, cursor) in zip("abc", read, strict=True):
            had[name] += text
            cursors[name] = cursor
    for index, name in enumerate("abc"):
        assert had[name] == lines(*(f"{name}{n}" for n in range(30) if n % 3 >= index))


async def test_pages_are_followed_until_there_is_something_for_everyone(
    kept: Kept, reader: LogReader
) -> None:
    kept.page = 3
    for number in range(20):
        kept.add("a", f"a{number}", at=OLD + number)
    kept.add("b", "b", at=OLD + 6)
    read = await together(reader, (place("a"), f"{OLD}.0"), (place("b"), f"{OLD}.0"))
    assert [text for text, _ in read] == [lines(*(f"a{n}" for n in range(8))), "b\n"]
    assert len(kept.asked("FilterLogEvents")) == 3


async def test_nothing_is_said_of_nobody_before_all_was_read(kept: Kept, reader: LogReader) -> None:
    kept.page = 2
    for number in range(30):
        kept.add("a", f"a{number}", at=OLD + number)
    kept.add("b", "b", at=OLD + 20)
    read = await together(reader, (place("a"), f"{OLD}.0"), (place("b"), f"{OLD}.0"))
    # After five pages it is read by itself.
    assert [text for text, _ in read] == [lines(*(f"a{n}" for n in range(10))), "b\n"]
    assert len(kept.asked("FilterLogEvents")) == 5
    assert [members["logStreamName"] for members in kept.asked("GetLogEvents")] == ["b"]


async def test_a_full_page_without_a_token_is_not_taken_for_all(
    scripted: Any, kept: Kept, reader: LogReader
) -> None:
    kept.add("a", *(f"a{n}" for n in range(12_000)))
    kept.add("b", "b", at=OLD + 1)
    scripted.answers["logs.FilterLogEvents"] = lambda call: {"events": kept.many(call)["events"]}
    read = await together(reader, (place("a"), f"{OLD}.0"), (place("b"), f"{OLD}.0"))
    assert [text.count("\n") for text, _ in read] == [10_000, 1]


@pytest.mark.parametrize("seed", range(4))
async def test_either_call_goes_on_from_the_others_cursor(
    kept: Kept, reader: LogReader, seed: int
) -> None:
    rng = random.Random(seed)
    kept.page = rng.choice([1, 2, 5, 10_000])
    cursors, had = dict.fromkeys("abc", f"{OLD}.0"), dict.fromkeys("abc", "")
    said: dict[str, list[str]] = {name: [] for name in "abc"}
    at = OLD
    for step in range(60):
        for name in rng.choices("abc", k=rng.randrange(4)) if step < 30 else ():
            said[name].append(f"{name}{step}.{len(said[name])}")
            kept.add(name, said[name][-1], at=at)
        kept.streams.setdefault(rng.choice("abc"), [])
        at += rng.choice([0, 0, 1, 5])
        asked = rng.sample("abc", k=rng.choice([1, 2, 3]))
        read = await together(reader, *((place(n), cursors[n]) for n in asked))
        for name, (text, cursor) in zip(asked, read, strict=True):
            had[name] += text
            cursors[name] = cursor
    for name in "abc":
        rest = await output(reader, place(name), cursor=cursors[name])
        assert had[name] + rest == lines(*said[name])
    assert kept.asked("FilterLogEvents")
    assert kept.asked("GetLogEvents")


@pytest.mark.parametrize("refuses", [True, False])
async def test_a_stream_that_is_not_there_hides_no_other(
    kept: Kept, reader: LogReader, refuses: bool
) -> None:
    kept.refuses_missing = refuses
    at = now_ms() - 10_000
    kept.add("a", "a", at=at)
    kept.add("b", "b", at=at)
    asked = [(place(name), f"{at}.0") for name in ("a", "gone", "b")]
    assert [text for text, _ in await together(reader, *asked)] == ["a\n", "", "b\n"]
    read = await together(reader, *asked)
    assert [text for text, _ in read] == ["a\n", "", "b\n"]
    # Once refused, the call is made without what was not seen.
    named = [members["logStreamNames"] for members in kept.asked("FilterLogEvents")]
    assert named == [["a", "gone", "b"], ["a", "b"] if refuses else ["a", "gone", "b"]]
    kept.add("gone", "came", at=at + 1)
    await asyncio.sleep(0.1)
    assert (await together(reader, *asked))[1][0] == "came\n"


async def test_followers_of_what_is_not_there_leave_most_of_the_quota(
    kept: Kept, reader: LogReader
) -> None:
    kept.add("a", "a")
    asked = [(place(f"gone{n}"), f"{OLD}.0") for n in range(25)] + [(place("a"), f"{OLD}.0")]
    await together(reader, *asked)
    began = time.monotonic()
    read = await together(reader, *asked)
    # Twenty at once, then fifteen a second; each was really looked for before it was answered.
    assert time.monotonic() - began > 1.2
    assert [text for text, _ in read] == [""] * 25 + ["a\n"]
    looked = [members["logStreamName"] for members in kept.asked("GetLogEvents")]
    assert {name: looked.count(name) for name in looked} == {where.stream: 2 for where, _ in asked}


async def test_reading_many_needs_no_permission_of_its_own(
    scripted: Any, kept: Kept, reader: LogReader
) -> None:
    scripted.answers["logs.FilterLogEvents"] = ApiError(
        "AccessDeniedException", "not authorized to perform: logs:FilterLogEvents"
    )
    kept.add("a", "a")
    kept.add("b", "b")
    for _ in range(2):
        read = await together(reader, (place("a"), f"{OLD}.0"), (place("b"), f"{OLD}.0"))
        assert [text for text, _ in read] == ["a\n", "b\n"]
    assert scripted.calls["logs.FilterLogEvents"] == 1


async def test_one_that_is_far_behind_is_read_by_itself(kept: Kept, reader: LogReader) -> None:
    for name in "abc":
        kept.add(name, f"{name} old", at=OLD)
        kept.add(name, f"{name} new", at=OLD + 600_000)
    live = f"{OLD + 599_000}.0"
    read = await together(reader, (place("a"), live), (place("b"), f"{OLD}.0"),
                          (place("c"), live))  # fmt: skip
    assert [text for text, _ in read] == ["a new\n", lines("b old", "b new"), "c new\n"]
    (shared,) = kept.asked("FilterLogEvents")
    assert shared["logStreamNames"] == ["a", "c"]
    assert shared["startTime"] == OLD + 599_000


async def test_a_host_whose_clock_is_ahead_leaves_nobody_behind(
    kept: Kept, reader: LogReader
) -> None:
    now = now_ms()
    for name in "abc":
        kept.add(name, name, at=now - 5000)
    kept.add("a", "ahead", at=now + 3_600_000, ingested=OLD)
    read = await together(
        reader,
        (place("a"), f"{now + 3_600_000}.0"),
        (place("b"), f"{now - 5000}.0"),
        (place("c"), f"{now - 5000}.0"),
    )
    assert [text for text, _ in read] == ["ahead\n", "b\n", "c\n"]
    assert len(kept.asked("FilterLogEvents")) == 1


async def test_a_silent_stream_holds_nobody_back_and_loses_nothing(
    kept: Kept, reader: LogReader
) -> None:
    now = now_ms()
    silent, live = place("silent"), place("live")
    kept.add("silent", "begin", at=now - 50_000)
    kept.add("live", "1", at=now - 10_000)
    asked = [(silent, f"{now - 50_000}.1"), (live, f"{now - 10_000}.1")]
    assert [text for text, _ in await together(reader, *asked)] == ["", ""]
    await together(reader, *asked)
    starts = [members["startTime"] for members in kept.asked("FilterLogEvents")]
    assert starts[0] == now - 50_000
    assert now - 25_000 < starts[1] <= now - 10_000
    # This one comes so late that the call together does not see it,
    kept.add("silent", "late", at=now - 45_000, ingested=OLD)
    assert [text for text, _ in await together(reader, *asked)] == ["", ""]
    # until the stream speaks again,
    kept.add("silent", "again", at=now - 4000)
    read = await together(reader, *asked)
    assert read[0][0] == lines("late", "again")
    # or its job has ended.
    over = [(replace(silent, ended=True), f"{now - 50_000}.1"), (live, f"{now - 10_000}.1")]
    kept.streams["silent"].pop()
    assert (await together(reader, *over))[0][0] == "late\n"


async def test_what_has_not_settled_is_not_taken_for_silence(kept: Kept, reader: LogReader) -> None:
    now = now_ms()
    cursor = f"{now - 50_000}.0"
    kept.add("a", "a", at=now - 40_000, ingested=now + 60_000)
    kept.add("b", "b", at=now - 50_000)
    read = await together(reader, (place("a"), cursor), (place("b"), cursor))
    assert [text for text, _ in read] == ["", "b\n"]
    kept.streams["a"] = [(now - 40_000, "a", OLD)]
    read = await together(reader, (place("a"), cursor), (place("b"), read[1][1]))
    assert [text for text, _ in read] == ["a\n", ""]
    assert len(kept.asked("FilterLogEvents")) == 2
    assert kept.asked("GetLogEvents") == []


async def test_groups_and_regions_are_read_apart(kept: Kept, reader: LogReader) -> None:
    kept.add("a", "1")
    kept.add("b", "2")
    cursor, other = f"{OLD}.0", replace(place("b"), group="/other")
    await together(reader, (place("a"), cursor), (other, cursor))
    assert {members["logGroupName"] for members in kept.asked("GetLogEvents")} == {GROUP, "/other"}
    assert kept.asked("FilterLogEvents") == []


async def test_whoever_waits_when_it_is_closed_is_told_so(
    scripted: Any, kept: Kept, reader: LogReader
) -> None:
    kept.add("a", "1")
    await reader.page(place(), LogQuery())
    asking = [asyncio.create_task(reader.page(place(), FOLLOW)) for _ in range(3)]
    await asyncio.sleep(0.001)
    await reader.close()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Stopped] * 3


# Jobs of the emulator.


async def launch(aws: Any, **behaviour: Any) -> LogPlace:
    options = {
        "awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "dayfly",
        "awslogs-create-group": "true",
    }  # fmt: skip
    container = {
        "name": "job", "image": "job", "essential": True,
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }  # fmt: skip
    await aws.call(
        "ecs", "RegisterTaskDefinition",
        family="logs", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
        cpu="256", memory="512", containerDefinitions=[container],
        executionRoleArn="arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
    )  # fmt: skip
    return await run(aws, **behaviour)


async def run(aws: Any, **behaviour: Any) -> LogPlace:
    answer = await aws.call(
        "ecs", "RunTask",
        taskDefinition="logs", launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}},
        overrides={"containerOverrides": [{"name": "job", "command": emulate(**behaviour)}]},
    )  # fmt: skip
    (task,) = answer["tasks"]
    return place(f"dayfly/job/{task['taskArn'].rsplit('/')[-1]}", since=task["createdAt"])


async def are_over(aws: Any, places: list[LogPlace]) -> list[bool]:
    ids = [where.stream.rsplit("/")[-1] for where in places]
    answer = await aws.call("ecs", "DescribeTasks", tasks=ids)
    over = {t["taskArn"].rsplit("/")[-1] for t in answer["tasks"] if t["lastStatus"] == "STOPPED"}
    return [one in over for one in ids]


async def ended(aws: Any, *places: LogPlace) -> None:
    async with asyncio.timeout(10):
        while True:
            if all(await are_over(aws, list(places))):
                return
            await asyncio.sleep(0.05)


async def test_no_page_comes_twice_or_out_of_order_from_a_running_job(
    emulator: Any, make_aws: Any, make_reader: Any
) -> None:
    emulator.change(log_lag_seconds=0.1, log_reorder_seconds=0.3, log_empty_page_every=3)
    aws, reader = make_aws(endpoint_url=emulator.url), make_reader(emulator.url, settle=0.4)
    job = await launch(aws, lines=400, run_seconds=1.5)
    cursor, had = "", b""
    async with asyncio.timeout(20):
        while had.count(b"\n") < 400:
            for batch in await reader.page(job, LogQuery(follow=True, cursor=cursor)):
                had += batch.data
                cursor = batch.cursor
            await asyncio.sleep(0.02)
    assert had.decode() == lines(*(f"line {n}" for n in range(400)))
    assert all(a["startTime"] <= b["startTime"] for a, b in pairwise(
        members for name, members in emulator.requests
        if name == "logs.GetLogEvents" and "startTime" in members
    ))  # fmt: skip


async def test_who_does_not_follow_gets_every_page(emulator: Any, unpaced: Aws) -> None:
    job = await launch(unpaced, lines=25_000, run_seconds=0.1)
    await ended(unpaced, job)
    session = Session()
    await session.configure(Config(region=REGION, endpoint_url=emulator.url, log_settle_seconds=0))
    task = job.stream.rsplit("/")[-1]
    about = {
        "runner": "ecs", "region": REGION, "cluster": "default", "container": "job",
        "log_group": GROUP, "log_prefix": "dayfly",
    }  # fmt: skip
    handle = JobHandle(id=f"arn:aws:ecs:{REGION}:123456789012:task/default/{task}", metadata=about)
    observer = Observer(session)
    whole = b"".join([batch.data async for batch in observer.logs(handle, LogQuery())])
    assert whole.decode() == lines(*(f"line {n}" for n in range(25_000)))
    tail = [batch.data async for batch in observer.logs(handle, LogQuery(tail_lines=20_000))]
    assert b"".join(tail).decode() == lines(*(f"line {n}" for n in range(5_000, 25_000)))
    page = b"".join([batch.data async for batch in observer.logs(handle, FOLLOW)])
    assert page.decode() == lines(*(f"line {n}" for n in range(10_000)))
    await session.close()


class Followed:
    """Jobs of the emulator as ``jobs`` follows them.

    Attributes:
        pages: How often each job's output was asked for.
    """

    def __init__(self, reader: LogReader, places: dict[str, LogPlace]) -> None:
        self.pages: Counter[str] = Counter()
        self._reader, self._places = reader, places
        self._ends: dict[str, asyncio.Future[JobStatus]] = {
            job: asyncio.get_running_loop().create_future() for job in places
        }

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        raise NotImplementedError

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        self.pages[handle.id] += 1
        where = replace(self._places[handle.id], ended=self._ends[handle.id].done())
        for batch in await self._reader.page(where, query):
            yield batch

    async def output(self, job: str) -> str:
        description = Description(
            provider="aws", version="1", honours=frozenset(), log_drain_seconds=2.5
        )
        query, handle = LogQuery(follow=True), JobHandle(id=job)
        reading = Follow(self, description, Timing(), lambda: handle, query)
        batches = reading.to_the_end(self._ends[job])
        return b"".join([batch.data async for batch in batches]).decode()

    async def watch(self, aws: Any) -> None:
        while True:
            running = [job for job, end in self._ends.items() if not end.done()]
            if not running:
                return
            over = await are_over(aws, [self._places[job] for job in running])
            for job, ended in zip(running, over, strict=True):
                if ended:
                    status = JobStatus(
                        handle=JobHandle(id=job), state=JobState.SUCCEEDED, ended=datetime.now(UTC)
                    )
                    self._ends[job].set_result(status)
            await asyncio.sleep(0.2)


async def follow(
    aws: Any, reader: LogReader, count: int, printed: int, **behaviour: Any
) -> Followed:
    """Follow so many jobs of so many lines at once, and see that each line came."""
    first = await launch(aws, lines=0)
    started = [run(aws, lines=printed, text=f"{n} {{i}}", **behaviour) for n in range(count)]
    places = {str(n): where for n, where in enumerate(await asyncio.gather(*started))}
    assert first not in places.values()
    followed = Followed(reader, places)
    outputs, _ = await asyncio.gather(
        asyncio.gather(*map(followed.output, places)), followed.watch(aws)
    )
    for job, text in zip(places, outputs, strict=True):
        assert text == lines(*(f"{job} {n}" for n in range(printed))), job
    return followed


@pytest.mark.parametrize(("printed", "refuses"), [(1000, True), (20, False)])
async def test_a_hundred_jobs_cost_about_a_call_a_round(
    emulator: Any, unpaced: Aws, make_reader: Any, printed: int, refuses: bool
) -> None:
    rates = {name: rate for name, rate in PUBLISHED_RATES.items() if name.startswith("logs.")}
    emulator.change(
        filter_tolerates_missing_streams=not refuses, check_responses=False, rates=rates
    )
    reader = make_reader(emulator.url, settle=0.5, rates=RATES)
    followed = await follow(unpaced, reader, 100, printed, run_seconds=2.0)
    rounds = max(followed.pages.values())
    merged, alone = (emulator.calls[f"logs.{name}LogEvents"] for name in ("Filter", "Get"))
    # A page holds 10,000 lines; some are read again where the last page stopped.
    assert merged <= 1.4 * rounds + 2 * 100 * printed / 10_000
    assert sum(followed.pages.values()) > 10 * merged
    # Once for each, to see whether it is there, where the call for all was refused.
    assert alone <= (120 if refuses else 40)


@pytest.mark.parametrize(
    "knobs",
    [
        {"log_lag_seconds": 0.5, "log_reorder_seconds": 0.4, "log_empty_page_every": 3},
        {"faults": (Fault(kind="throttled", operation="logs", every=5),
                    Fault(kind="reset_after", operation="logs", every=7))},
        {"log_streams_appear_at_start": True, "latency_seconds": 0.1},
    ],
    ids=["late", "faults", "slow"],
)  # fmt: skip
async def test_jobs_are_followed_to_their_end_whatever_happens(
    emulator: Any, unpaced: Aws, make_reader: Any, knobs: dict[str, Any]
) -> None:
    emulator.change(**knobs)
    reader = make_reader(emulator.url, settle=0.5)
    await follow(unpaced, reader, 12, 150, run_seconds=1.5)
