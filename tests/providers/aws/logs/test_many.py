"""Many streams of a group: read together, and never mixed."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws.errors import ApiError
from tests.providers.aws.logs.conftest import (
    FOLLOW,
    GROUP,
    OLD,
    Kept,
    lines,
    now_ms,
    output,
    place,
    together,
)

from dayfly.contract.errors import Stopped
from dayfly.contract.jobs import LogQuery

if TYPE_CHECKING:
    from dayfly.providers.aws.logs.reader import LogReader


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
