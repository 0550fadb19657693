"""Every byte of each stream, once and in order, live and from what was kept."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.contract.jobs import JobHandle, JobState, LogQuery, Stream

pytestmark = pytest.mark.docker

MIB = 1024 * 1024


async def test_streams_stay_apart_live_and_kept(room: Any) -> None:
    script = "for i in 1 2 3; do echo o$i; echo e$i >&2; done; printf end"
    handle = await room.run("sh", "-c", script, follow=True)
    expected = (b"o1\no2\no3\nend", b"e1\ne2\ne3\n")
    batches = await room.read(handle, follow=True)
    assert batches[-1].end
    assert [b.end for b in batches[:-1]] == [False] * (len(batches) - 1)
    out = b"".join(b.data for b in batches if b.stream is Stream.STDOUT)
    assert (out, b"".join(b.data for b in batches if b.stream is Stream.STDERR)) == expected
    assert await room.output(handle) == expected
    assert await room.output(handle, follow=True, timestamps=True) == expected


async def test_a_hundred_thousand_lines(room: Any) -> None:
    handle = await room.run("sh", "-c", "seq 1 100000; seq 1 1000 >&2", follow=True)
    out = b"".join(b"%d\n" % n for n in range(1, 100_001))
    err = b"".join(b"%d\n" % n for n in range(1, 1001))
    assert await room.output(handle, follow=True) == (out, err)
    assert await room.output(handle) == (out, err)


@pytest.mark.parametrize("size", [16 * 1024 - 1, 16 * 1024, MIB, MIB + 5])
async def test_a_long_line_arrives_whole(room: Any, size: int) -> None:
    script = f'head -c {size} /dev/zero | tr "\\0" a; echo; echo next'
    handle = await room.run("sh", "-c", script, follow=True)
    expected = b"a" * size + b"\nnext\n"
    live, _ = await room.output(handle, follow=True)
    assert live == expected
    batches = await room.read(handle, timestamps=True)
    assert b"".join(b.data for b in batches) == expected
    at, lines = 0, []
    for batch in batches:
        lines += [at + offset for offset, _ in batch.times]
        at += len(batch.data)
    assert lines == [0, size + 1]


async def test_bytes_that_are_no_text(room: Any) -> None:
    handle = await room.run("head", "-c", "300000", "/dev/urandom", follow=True)
    live, _ = await room.output(handle, follow=True)
    kept, _ = await room.output(handle, timestamps=True)
    assert len(live) == 300_000
    assert hashlib.sha256(kept).digest() == hashlib.sha256(live).digest()


async def test_each_cursor_resumes_where_it_stands(room: Any) -> None:
    script = "for i in 1 2 3 4; do echo out $i; echo error $i >&2; sleep 0.05; done"
    handle = await room.run("sh", "-c", script, follow=True)
    batches = await room.read(handle, follow=True)
    whole = {s: b"".join(b.data for b in batches if b.stream is s) for s in Stream}
    seen = dict.fromkeys(Stream, 0)
    for batch in batches:
        seen[batch.stream] += len(batch.data)
        out, err = await room.output(handle, cursor=batch.cursor)
        assert out == whole[Stream.STDOUT][seen[Stream.STDOUT] :]
        assert err == whole[Stream.STDERR][seen[Stream.STDERR] :]


async def test_another_machine_follows_a_running_job(room: Any, make_room: Any) -> None:
    handle = await room.run("sh", "-c", "echo one; sleep 1; echo two", follow=True)
    other = await make_room()
    batches = await other.read(handle, follow=True)
    batches += await other.read(handle, follow=True, cursor=batches[-1].cursor)
    assert b"".join(b.data for b in batches) == b"one\ntwo\n"
    assert batches[-1].end


async def test_a_reader_that_leaves_comes_back_with_its_cursor(room: Any) -> None:
    handle = await room.run("sh", "-c", "echo one; sleep 0.5; echo two", follow=True)
    reading = room.observer.logs(handle, LogQuery(follow=True))
    first = await anext(reading)
    await reading.aclose()
    await room.ended(handle)
    assert await room.output(handle, cursor=first.cursor) == (b"two\n", b"")


async def test_the_tail_is_of_each_stream_and_its_cursors_hold(room: Any) -> None:
    handle = await room.run("sh", "-c", "seq 1 50; seq 1 5 >&2; printf open")
    await room.ended(handle)
    batches = await room.read(handle, tail_lines=2)
    out = b"".join(b.data for b in batches if b.stream is Stream.STDOUT)
    assert out == b"50\nopen"
    assert batches[-1].cursor == "145:10"
    assert await room.output(handle, tail_lines=0) == (b"", b"")


async def test_since_leaves_out_what_came_before(room: Any) -> None:
    handle = await room.run("sh", "-c", "echo old; sleep 0.3; echo new")
    status = await room.ended(handle)
    since = status.ended - timedelta(seconds=0.15)
    assert await room.output(handle, since=since) == (b"new\n", b"")
    assert await room.output(handle, since=datetime.now(UTC)) == (b"", b"")


async def test_a_silent_job_still_ends(room: Any) -> None:
    handle = await room.run("true", follow=True)
    (batch,) = await room.read(handle, follow=True)
    assert batch.end
    assert batch.data == b""


@pytest.mark.parametrize("cursor", ["x", "1", "1:2:3", "-1:0", "9:9"])
async def test_a_cursor_that_is_none_is_refused(room: Any, cursor: str) -> None:
    handle = await room.run("true")
    await room.ended(handle)
    with pytest.raises(InvalidField) as caught:
        await room.read(handle, cursor=cursor)
    assert caught.value.field == "cursor"


async def test_output_of_what_is_gone(room: Any) -> None:
    with pytest.raises(NotFound):
        await room.read(JobHandle(id="f" * 64))


@pytest.mark.parametrize(
    "bad", ["../../info", "a b", "..", "a?x=1", "-x", "/", "%2e", "a\n", "a" * 1000]
)
async def test_a_handle_cannot_reach_another_path(room: Any, bad: str) -> None:
    assert (await room.status(JobHandle(id=bad))).state is JobState.UNKNOWN
    for call in (room.read, room.canceler.cancel_job, room.inventory.delete):
        with pytest.raises(InvalidField) as caught:
            await call(JobHandle(id=bad))
        assert caught.value.field == "handle.id"
