"""What is said of a call that ends because its plugin did, however gRPC tells it."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from dayfly.contract.errors import ProviderFailed
from dayfly.host import Deadlines, spawn
from dayfly.host.calls import Calls
from dayfly.host.watch import ProcessWatch


class _EndsWhileItsStatusIsRead:
    """A stream whose socket closed a moment before it is cancelled from this side."""

    def __init__(self) -> None:
        self._cancelled = asyncio.Event()

    def __call__(self, _request: object, **_options: Any) -> _EndsWhileItsStatusIsRead:
        return self

    def cancel(self) -> bool:
        self._cancelled.set()
        return True

    async def read(self) -> object:
        await self._cancelled.wait()
        raise grpc.aio.AioRpcError(
            grpc.StatusCode.CANCELLED,
            grpc.aio.Metadata(),
            grpc.aio.Metadata(),
            "Locally cancelled by application!",
        )


async def test_a_stream_cancelled_by_the_plugins_end_tells_of_that_end(make_plugin):
    watch = ProcessWatch(spawn(make_plugin("#!/bin/sh\nexec sleep 0.1\n")))
    await watch.start()
    try:
        calls = Calls(watch, Deadlines())
        stream = calls.stream(
            _EndsWhileItsStatusIsRead(),  # type: ignore[arg-type]
            None,
            service="s",
            tried="for the output of job 1",
        )
        with pytest.raises(ProviderFailed, match=r"exited with code 0 and could not be asked for"):
            await anext(stream)
    finally:
        watch.close()
