"""Output in order, each byte once, from any cursor to the end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.providers.local.conftest import joined, sh

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.contract.jobs import JobHandle, LogQuery, Stream

BOTH = "i=0; while [ $i -lt {n} ]; do echo out $i; echo err $i >&2; i=$((i+1)); done"


async def test_a_hundred_thousand_lines_on_two_streams(desk):
    handle = await desk.start(sh(BOTH.format(n=50_000)))
    await desk.end(handle)
    out, err = await desk.output(handle)
    assert out == b"".join(b"out %d\n" % i for i in range(50_000))
    assert err == b"".join(b"err %d\n" % i for i in range(50_000))


async def test_reading_while_it_runs_gives_each_byte_once(desk):
    handle = await desk.start(
        sh("i=0; while [ $i -lt 30 ]; do echo $i; sleep 0.02; i=$((i+1)); done")
    )
    seen, cursor, ended = [], "", False
    while not ended:
        for batch in await desk.batches(handle, cursor=cursor, follow=True):
            seen.append(batch.data)
            cursor, ended = batch.cursor, batch.end
    assert b"".join(seen) == b"".join(b"%d\n" % i for i in range(30))
    assert len([data for data in seen if data]) > 5


async def test_every_cursor_goes_on_where_its_batch_ended(desk):
    handle = await desk.start(sh(BOTH.format(n=3000)))
    await desk.end(handle)
    whole = await desk.batches(handle)
    for number in range(len(whole)):
        rest = await desk.batches(handle, cursor=whole[number].cursor)
        for stream in (Stream.STDOUT, Stream.STDERR):
            parts = joined(whole[: number + 1], stream) + joined(rest, stream)
            assert parts == joined(whole, stream)


async def test_the_order_of_the_streams_is_kept(desk):
    handle = await desk.start(
        sh("for i in 1 2 3; do echo $i; sleep 0.05; echo $i >&2; sleep 0.05; done")
    )
    await desk.end(handle)
    assert [b.stream for b in await desk.batches(handle) if b.data] == [
        Stream.STDOUT,
        Stream.STDERR,
    ] * 3


async def test_binary_and_a_line_of_a_mebibyte(desk):
    octal = "".join(f"\\{byte:03o}" for byte in range(256))
    handle = await desk.start(
        sh(f"printf '{octal}'; printf '{octal}' >&2; head -c 1048576 /dev/zero")
    )
    await desk.end(handle)
    assert await desk.output(handle) == (bytes(range(256)) + bytes(2**20), bytes(range(256)))
    assert all(len(batch.data) <= 64 * 1024 for batch in await desk.batches(handle))


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "-1:-1:-1", "9" * 400, "1:2", "\n", "é", "0:99:0", "9:0:0", "2:0:0", "²:0:0"],
)
async def test_a_cursor_of_nothing_is_refused(desk, cursor):
    handle = await desk.start(sh("echo a; sleep 0.05; echo b"))
    await desk.end(handle)
    with pytest.raises(InvalidField) as raised:
        await desk.batches(handle, cursor=cursor)
    assert raised.value.field == "cursor"


@pytest.mark.parametrize("ending", ["", "\\n"])
async def test_tail_gives_the_last_lines_of_each_stream(desk, ending):
    text = f"printf 'one\\ntwo\\n\\nfour{ending}'"
    handle = await desk.start(sh(f"{text}; {text} >&2"))
    await desk.end(handle)
    last = b"\n" if ending else b""
    lines = [b"one\n", b"two\n", b"\n", b"four" + last]
    for count in range(6):
        expected = b"".join(lines[max(4 - count, 0) :])
        assert await desk.output(handle, tail_lines=count) == (expected, expected)


async def test_tail_over_blocks(desk):
    handle = await desk.start(sh("seq 100000"))
    await desk.end(handle)
    out, _ = await desk.output(handle, tail_lines=50_000)
    assert out == b"".join(b"%d\n" % i for i in range(50_001, 100_001))


async def test_a_tail_of_nothing_has_a_cursor_to_follow_from(desk):
    handle = await desk.start(sh("echo before; sleep 0.5; echo after"))
    await desk.printed(handle, b"before")
    (batch,) = await desk.batches(handle, tail_lines=0, follow=True)
    assert (batch.data, batch.end) == (b"", False)
    await desk.end(handle)
    assert await desk.output(handle, tail_lines=0, cursor=batch.cursor) == (b"after\n", b"")


async def test_times_and_since(desk):
    handle = await desk.start(sh("for i in 1 2 3; do echo $i; sleep 0.2; done"))
    status = await desk.end(handle)
    batches = [b for b in await desk.batches(handle, timestamps=True) if b.data]
    times = [time for batch in batches for _, time in batch.times]
    assert times == sorted(times)
    assert status.started <= times[0]
    assert times[-1] <= status.ended
    later = times[-1] - timedelta(seconds=0.1)
    assert await desk.output(handle, since=later) == (b"3\n", b"")
    assert await desk.output(handle, since=later + timedelta(hours=1)) == (b"", b"")


async def test_output_of_no_job(desk):
    for name in ("no-such-job", "../../etc/passwd", "a" * 20):
        with pytest.raises(NotFound):
            _ = [b async for b in desk.local.logs(JobHandle(id=name), LogQuery())]


async def test_much_output_is_whole(desk):
    handle = await desk.start(sh("yes 0123456789abcdef | head -c 50000000"))
    await desk.end(handle)
    total = sum(len(batch.data) for batch in await desk.batches(handle))
    assert total == 50_000_000
