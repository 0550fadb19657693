from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from dayfly.cli.sink import BOUND_BYTES, Sink


def reader(descriptor: int, into: bytearray, *, pause: float = 0.0) -> threading.Thread:
    def read():
        while data := os.read(descriptor, 65536):
            into.extend(data)
            time.sleep(pause)

    thread = threading.Thread(target=read)
    thread.start()
    return thread


async def test_every_byte_arrives_in_order_through_partial_writes():
    source, target = os.pipe()
    os.set_blocking(target, True)
    got = bytearray()
    thread = reader(source, got)
    sink = Sink()
    pieces = [bytes([n % 251]) * (n * 37 % 70_000) for n in range(300)]
    for piece in pieces:
        await sink.write(target, piece)
    await sink.flush()
    sink.close()
    os.close(target)
    await asyncio.to_thread(thread.join)
    os.close(source)
    assert bytes(got) == b"".join(pieces)


async def test_a_reader_that_sleeps_stops_the_writer_at_the_bound():
    source, target = os.pipe()
    sink = Sink()
    written = 0

    async def write():
        nonlocal written
        while True:
            await sink.write(target, b"x" * 65536)
            written += 65536

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(write(), 0.5)
    pipe_holds = 65536 * 2
    assert written <= BOUND_BYTES + pipe_holds
    os.close(source)
    os.set_blocking(target, False)
    with pytest.raises(BrokenPipeError):
        await sink.flush()
    os.close(target)


async def test_a_reader_that_left_is_told_to_the_writer():
    source, target = os.pipe()
    os.close(source)
    sink = Sink()

    async def write():
        while True:
            await sink.write(target, b"x" * 1000)
            await asyncio.sleep(0)

    with pytest.raises(BrokenPipeError):
        await asyncio.wait_for(write(), 5)
    os.close(target)


async def test_two_descriptors_keep_their_common_order():
    source, target = os.pipe()
    other = os.dup(target)
    sink = Sink()
    for number in range(100):
        await sink.write(target if number % 2 else other, f"{number}\n".encode())
    await sink.flush()
    sink.close()
    assert os.read(source, 65536) == b"".join(f"{n}\n".encode() for n in range(100))
    for descriptor in (source, target, other):
        os.close(descriptor)


async def test_what_was_written_before_an_error_arrives_all_the_same():
    source, target = os.pipe()
    got = bytearray()

    async def write():
        async with Sink() as sink:
            await sink.write(target, b"x" * 300_000)
            raise LookupError

    thread = reader(source, got, pause=0.01)
    with pytest.raises(LookupError):
        await write()
    os.close(target)
    await asyncio.to_thread(thread.join)
    os.close(source)
    assert len(got) == 300_000


async def test_a_cancelled_writer_waits_for_no_reader():
    source, target = os.pipe()

    async def write():
        async with Sink() as sink:
            while True:
                await sink.write(target, b"x" * 65536)

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    writing.cancel()
    await asyncio.wait({writing}, timeout=5)
    assert writing.cancelled()
    os.close(source)
    os.close(target)
