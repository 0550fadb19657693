"""A job's output over the wire: whole, in order, with few messages and bounded memory."""

from __future__ import annotations

import asyncio

import grpc
import psutil
import pytest

from dayfly.contract.jobs import LogBatch, Stream
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.contract.wire import iac_pb2_grpc as iac_grpc
from dayfly.sdk.batches import AHEAD_BYTES, MESSAGE_BYTES, gathered


def resident_mib(pid):
    return psutil.Process(pid).memory_info().rss / 1024**2


def request(handle_id):
    return v1.LogsRequest(handle=iac.JobHandle(id=handle_id))


async def test_small_batches_leave_together_and_streams_stay_apart(plugin):
    batches = [batch async for batch in plugin.observe.Logs(request("small"))]
    expected = {v1.STREAM_STDOUT: b"", v1.STREAM_STDERR: b""}
    for number in range(20_000):
        stream = v1.STREAM_STDERR if number % 100 == 99 else v1.STREAM_STDOUT
        expected[stream] += b"%d\n" % number
    for stream, data in expected.items():
        assert b"".join(b.data for b in batches if b.stream == stream) == data
    assert len(batches) <= 401
    assert batches[-1].cursor == "19999"


async def test_a_lone_batch_does_not_wait_for_company(plugin):
    stream = plugin.observe.Logs(request("slow"))
    async with asyncio.timeout(20):  # The next comes in an hour.
        assert (await stream.read()).data == b"first"
    stream.cancel()


async def test_a_failure_comes_after_what_was_read_before_it(plugin):
    stream = plugin.observe.Logs(request("fails"))
    assert (await stream.read()).data == b"before"
    with pytest.raises(grpc.aio.AioRpcError, match="the log service is busy") as caught:
        await stream.read()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_reader_that_stops_holds_the_provider_back(plugin):
    stream = plugin.observe.Logs(request("big"))
    await stream.read()
    await asyncio.sleep(1)  # 200 MB would be through by now
    assert resident_mib(plugin.process.pid) < 150
    stream.cancel()


async def test_the_classic_runner_reads_pages_to_the_end(plugin):
    chunks = [chunk async for chunk in plugin.runner.JobLogs(iac.JobHandle(id="paged"))]
    assert b"".join(chunk.data for chunk in chunks) == b"one\ntwo\nthree\n"
    assert [chunk.eof for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].data == b""
    assert chunks[0].source == "stdout"


async def test_the_classic_runner_starts_another_job_every_time(plugin):
    spec = iac.JobSpec(run_command="echo 'a  b'", kind="EPHEMERAL")
    first, second = [await plugin.runner.RunJob(spec) for _ in range(2)]
    assert first.id != second.id
    assert first.name == str(("/bin/sh", "-c", "echo 'a  b'"))
    status = await plugin.runner.JobStatus(first)
    assert status.state == iac.JOB_STATE_SUCCEEDED


@pytest.mark.parametrize(
    "spec", [iac.JobSpec(image="alpine"), iac.JobSpec(timeout_seconds=5), iac.JobSpec(cron="* *")]
)
async def test_the_classic_runner_refuses_what_is_not_honoured(plugin, spec):
    with pytest.raises(grpc.aio.AioRpcError, match="cannot honour") as caught:
        await plugin.runner.RunJob(spec)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_classic_runner_has_no_state_for_what_is_gone(plugin):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await plugin.runner.JobStatus(iac.JobHandle(id="gone"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_captured_logs_end_with_one_empty_chunk(plugin):
    stub = iac_grpc.IaCProviderLogCaptureStub(plugin.channel)
    call = stub.CaptureLogs(iac.CaptureLogsRequest(log_type=iac.LOG_CAPTURE_TYPE_DEPLOY))
    chunks = [chunk async for chunk in call]
    assert [(chunk.data, chunk.eof) for chunk in chunks] == [(b"DEPLOY", False), (b"", True)]


def batch(data, stream=Stream.STDOUT, **more):
    return LogBatch(stream=stream, data=data, cursor=data.decode()[-1:], **more)


async def given(*batches):
    for item in batches:
        yield item


async def test_joined_batches_keep_cursor_times_and_end():
    first = batch(b"ab", times=((0, 1), (1, 2)))
    last = batch(b"c", times=((0, 3),), end=True)
    [joined] = [item async for item in gathered(given(first, last))]
    assert (joined.data, joined.cursor, joined.end) == (b"abc", "c", True)
    assert joined.times == ((0, 1), (1, 2), (2, 3))


async def test_an_end_without_data_joins_whatever_was_before_it():
    [joined] = [
        item async for item in gathered(given(batch(b"a", Stream.STDERR), batch(b"", end=True)))
    ]
    assert (joined.stream, joined.data, joined.end) == (Stream.STDERR, b"a", True)


async def test_no_message_outgrows_its_size_by_joining():
    parts = [batch(b"x" * 40_000) for _ in range(20)]
    sizes = [len(item.data) async for item in gathered(given(*parts))]
    assert sum(sizes) == 800_000
    assert max(sizes) <= MESSAGE_BYTES


async def test_reading_ahead_is_bounded_and_stops_with_the_reader():
    read, closed = 0, False

    async def endless():
        nonlocal read, closed
        try:
            while True:
                read += 1000
                yield batch(b"x" * 1000)
        finally:
            closed = True

    ready = gathered(endless())
    await anext(ready)
    await asyncio.sleep(0.05)
    assert read <= AHEAD_BYTES + MESSAGE_BYTES + 2000
    await ready.aclose()
    assert closed
