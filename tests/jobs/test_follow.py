"""Output comes in order, each byte once, to its end, whatever breaks off."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.jobs.scripted import QUICK, lost_answer

from dayfly.contract.errors import DataLoss, NotFound, PermissionDenied, ProviderFailed, Unavailable
from dayfly.contract.jobs import JobHandle, JobSpec, LogBatch, Stream

ECHO = JobSpec(command=("/bin/echo", "hello"))


async def read(batches):
    async with aclosing(batches):
        return [batch.data async for batch in batches]


async def test_what_is_printed_while_it_runs_comes_at_once(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        batches = job.output()
        for number in range(5):
            provider.only.prints(b"%d\n" % number)
            async with asyncio.timeout(1):
                assert (await anext(batches)).data == b"%d\n" % number
            await asyncio.sleep(0.01)
        provider.only.ends()
        assert await read(batches) == []


async def test_pages_become_one_run(opened, provider):
    provider.page = 3
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        for number in range(20):
            provider.only.prints(b"%d " % number, Stream(1 + number % 2))
        provider.only.ends()
        batches = [batch async for batch in job.output()]
    assert [batch.data for batch in batches] == [b"%d " % number for number in range(20)]
    assert {batch.stream for batch in batches[::2]} == {Stream.STDOUT}


async def test_a_page_without_data_moves_on(opened, provider):
    provider.page = 1
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        for data in (b"0", b"", b"", b"1"):
            provider.only.prints(data)
        reading = asyncio.create_task(read(job.output()))
        await asyncio.sleep(0.05)
        provider.only.ends()
        assert await reading == [b"0", b"1"]


async def test_what_a_resumed_page_gives_again_is_left_out(opened, provider):
    provider.page, provider.repeats = 2, 2
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        for number in range(9):
            provider.only.prints(b"%d" % number)
        provider.only.ends()
        assert await read(job.output()) == [b"%d" % number for number in range(9)]


async def test_equal_lines_are_not_taken_for_repeats(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        for _ in range(5):
            provider.only.prints(b"same\n")
        provider.only.ends()
        assert await read(job.output()) == [b"same\n"] * 5


async def test_it_resumes_where_it_broke_off(opened, provider):
    provider.breaks = {"2": lost_answer(), "5": lost_answer(), "6": lost_answer()}
    provider.faults["logs"].extend([None, lost_answer()])
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        for number in range(7):
            provider.only.prints(b"%d" % number)
        provider.only.ends()
        assert await read(job.output()) == [b"%d" % number for number in range(7)]
    assert {query.cursor for query in provider.queries} >= {"", "2", "5", "6"}


async def test_breaking_off_without_a_cursor_is_data_loss_and_no_output(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.output.append(LogBatch(stream=Stream.STDOUT, data=b"0", cursor=""))
        provider.breaks = {"": lost_answer()}
        batches = job.output()
        assert (await anext(batches)).data == b"0"
        with pytest.raises(DataLoss, match="cannot go on where it stopped"):
            await anext(batches)


async def test_nothing_but_passing_errors_ends_at_the_deadline(opened, provider):
    provider.faults["logs"].extend([lost_answer()] * 1000)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(Unavailable, match=r"tried for 0\.4 s to read the output"):
            await read(job.output())


async def test_an_error_that_stays_is_raised_and_the_job_goes_on(opened, provider):
    provider.faults["logs"].append(PermissionDenied("no access to the log group"))
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(PermissionDenied, match="log group"):
            await read(job.output())
        provider.only.ends(4)
        assert (await job.wait()).exit_code == 4


async def test_an_end_that_cannot_be_seen_is_said(opened, provider):
    provider.faults["statuses"].append(ProviderFailed("the look broke"))
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        with pytest.raises(ProviderFailed, match="the look broke"):
            await read(job.output())


async def test_an_end_mark_ends_it_without_a_drain(opened, provider):
    provider.description = replace(QUICK, log_drain_seconds=30)
    provider.marks_end = True
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"last")
        provider.only.ends()
        async with asyncio.timeout(1):
            assert await read(job.output()) == [b"last"]


async def test_an_end_mark_on_a_page_of_its_own_is_seen(opened, provider):
    provider.description = replace(QUICK, log_drain_seconds=30)
    provider.marks_end = True
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        batches = job.output()
        provider.only.prints(b"last")
        assert (await anext(batches)).data == b"last"
        provider.only.ends()
        async with asyncio.timeout(1):
            assert await read(batches) == []


async def test_an_end_mark_wakes_the_watch(opened, provider):
    provider.description = replace(QUICK, poll_min_seconds=30, poll_max_seconds=30)
    provider.marks_end = True
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        waiting = asyncio.create_task(job.wait())
        await asyncio.sleep(0.02)
        provider.only.ends(2)
        async with asyncio.timeout(1):
            assert await read(job.output()) == []
            assert (await waiting).exit_code == 2


async def test_output_that_arrives_after_the_end_is_waited_for(opened, provider):
    provider.description = replace(QUICK, log_drain_seconds=0.3)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"0")
        provider.only.ends()
        reading = asyncio.create_task(read(job.output()))
        for number in (1, 2):
            await asyncio.sleep(0.1)
            provider.only.prints(b"%d" % number)
        assert await reading == [b"0", b"1", b"2"]


async def test_a_drain_that_brings_nothing_is_bounded(opened, provider):
    provider.description = replace(QUICK, log_drain_seconds=0.1)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.ends()
        async with asyncio.timeout(1):
            assert await read(job.output()) == []


async def test_a_drain_is_not_longer_for_a_pause_that_has_grown(opened, provider):
    provider.description = replace(
        QUICK, log_drain_seconds=0.2, poll_min_seconds=1, poll_max_seconds=1
    )
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        reading = asyncio.create_task(read(job.output()))
        await asyncio.sleep(0.8)
        provider.only.ends()
        await job.wait()
        provider.only.prints(b"last")
        async with asyncio.timeout(0.6):
            assert await reading == [b"last"]


async def test_a_job_that_ended_long_ago_is_not_drained(opened, provider):
    provider.description = replace(QUICK, log_drain_seconds=30)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"old")
        provider.only.ends(ended=datetime.now(UTC) - timedelta(hours=1))
        async with asyncio.timeout(1):
            assert await read(job.output()) == [b"old"]


async def test_a_quiet_job_is_asked_ever_more_rarely(opened, provider):
    provider.description = replace(QUICK, poll_min_seconds=0.1)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        reading = asyncio.create_task(read(job.output()))
        await asyncio.sleep(0.5)
        asked = provider.calls["logs"]
        provider.only.ends()
        await reading
    assert 4 < asked < 20


async def test_a_new_jobs_output_may_be_invisible_at_first(opened, provider):
    provider.description = replace(QUICK, visibility_grace_seconds=0.5)
    provider.faults["logs"].extend([NotFound("no log stream yet")] * 3)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"hello")
        reading = asyncio.create_task(read(job.output()))
        await asyncio.sleep(0.05)
        provider.only.ends()
        assert await reading == [b"hello"]


async def test_output_of_a_job_that_is_not_there_is_an_error(opened, provider):
    async with opened() as jobs:
        job = jobs.attach(JobHandle(id="gone"))
        with pytest.raises(NotFound, match="no job gone"):
            await read(job.output())
        with pytest.raises(NotFound, match="no job gone"):
            await read(job.output(follow=False))


async def test_not_following_reads_what_there_is(opened, provider):
    provider.breaks = {"1": lost_answer()}
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"0")
        provider.only.prints(b"1")
        assert await read(job.output(follow=False)) == [b"0", b"1"]
        assert await read(job.output(follow=False, cursor="1")) == [b"1"]
    assert not any(query.follow for query in provider.queries)


async def test_what_is_asked_for_reaches_the_provider(opened, provider):
    since = datetime(2026, 1, 1, tzinfo=UTC)
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"0")
        provider.only.ends()
        await read(job.output(tail_lines=5, since=since, timestamps=True))
    first, *later = provider.queries
    assert (first.tail_lines, first.since, first.timestamps, first.follow) == (5, since, True, True)
    assert later
    assert {query.tail_lines for query in later} == {None}


async def test_lines_come_with_their_stream_and_the_last_needs_no_newline(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"one\nt")
        provider.only.prints(b"oops\n", Stream.STDERR)
        provider.only.prints(b"wo\nthree")
        provider.only.ends()
        records = [record async for record in job.logs()]
    assert [(record.stream, record.text) for record in records] == [
        (Stream.STDOUT, "one"),
        (Stream.STDERR, "oops"),
        (Stream.STDOUT, "two"),
        (Stream.STDOUT, "three"),
    ]


async def test_two_readers_each_get_everything(opened, provider):
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        readers = [asyncio.create_task(read(job.output())) for _ in range(2)]
        for number in range(3):
            provider.only.prints(b"%d" % number)
            await asyncio.sleep(0.005)
        provider.only.ends()
        assert await asyncio.gather(*readers) == [[b"0", b"1", b"2"]] * 2


async def test_a_reader_that_stops_early_closes_the_providers_stream(opened, provider):
    closed = []

    class Watched(type(provider)):
        async def logs(self, handle, query):
            try:
                async for batch in super().logs(handle, query):
                    yield batch
            finally:
                closed.append(query.cursor)

    provider.__class__ = Watched
    async with opened() as jobs:
        job = await jobs.launch(ECHO)
        provider.only.prints(b"0")
        provider.only.prints(b"1")
        async with aclosing(job.output()) as batches:
            await anext(batches)
        assert closed == [""]
