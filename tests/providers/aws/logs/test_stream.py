"""One stream: in order, each line once, from every cursor."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from tests.emulators.aws.errors import ApiError
from tests.providers.aws.logs.conftest import (
    FOLLOW,
    OLD,
    Kept,
    ended,
    launch,
    lines,
    missing,
    now_ms,
    output,
    pages,
    place,
)

from dayfly.contract.errors import InvalidField, PermissionDenied, Throttled, Unavailable
from dayfly.contract.jobs import LogQuery, Stream
from dayfly.providers.aws.logs.events import BATCH

if TYPE_CHECKING:
    from dayfly.providers.aws.logs.reader import LogReader


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
    scripted.answers["logs.GetLogEvents"] = missing(what)
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
