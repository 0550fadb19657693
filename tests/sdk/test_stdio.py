"""What a plugin prints goes to its host, and never stands in the way of a job."""

from __future__ import annotations

import asyncio

from google.protobuf.empty_pb2 import Empty

from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire import iac_pb2 as iac


def flood():
    return v1.Submission(spec=iac.JobSpec(), idempotency_key="k", command=["flood"])


async def test_prints_arrive_by_channel(plugin):
    await plugin.submit.Check(v1.CheckRequest())
    got = {go.StdioData.STDOUT: b"", go.StdioData.STDERR: b""}
    stream = plugin.stdio.StreamStdio(Empty())
    async with asyncio.timeout(5):
        async for item in stream:
            assert len(item.data) <= 1024
            got[item.channel] += item.data
            if all(got.values()):
                break
    stream.cancel()
    assert got[go.StdioData.STDOUT] == b"printed by check\n"
    assert got[go.StdioData.STDERR] == b"written by check\n"


async def test_a_mebibyte_that_nobody_reads_blocks_nothing(plugin):
    async with asyncio.timeout(20):
        for _ in range(3):
            await plugin.submit.Plan(flood())
        await plugin.submit.Describe(v1.DescribeRequest())


async def test_what_was_printed_last_arrives_before_the_end(plugin):
    stream = plugin.stdio.StreamStdio(Empty())
    await plugin.submit.Check(v1.CheckRequest())
    await plugin.controller.Shutdown(go.Empty())
    got = b""
    async with asyncio.timeout(5):
        async for item in stream:
            got += item.data
    assert b"printed by check" in got
