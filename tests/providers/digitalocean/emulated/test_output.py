"""Each line once, in order, to the last: whatever happens to the streams and addresses."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from tests.emulators.digitalocean.knobs import Fault

from dayfly.contract.errors import Transient
from dayfly.contract.jobs import ExitCodeSource, JobState, LogQuery

LINES = [f"line {number} of them" for number in range(40)]
WHOLE = "".join(f"{line}\n" for line in LINES).encode()
TROUBLES = {
    "none": {},
    "the live stream is cut, three times": {"live_cut_after_bytes": 150, "live_cuts": 3},
    "it is closed as if it had ended": {"live_cut_after_bytes": 150, "live_cut_code": 1001},
    "addresses expire": {"log_url_seconds": 0.05, "latency_seconds": 0.02},
    "a look for them fails": {"faults": [Fault(kind="server_error", operation="logs", first=3)]},
    "the archive is late, and half at first": {
        "archive_lag_seconds": 0.2,
        "archive_settle_seconds": 0.4,
    },
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_followed_from_the_beginning_to_the_end(opened, trouble):
    async with opened({"log_drain_seconds": 1}, **TROUBLES[trouble]) as room:
        handle = await room.run(lines=LINES, run_seconds=0.8)
        assert await room.output(handle) == WHOLE


async def test_resumed_from_every_cursor(opened):
    async with opened() as room:
        handle = await room.run(lines=LINES[:6], run_seconds=0.3)
        await room.ended(handle)
        whole = b"".join(f"{line}\n".encode() for line in LINES[:6])
        first = await room.output(handle)
        assert first == whole
        for had in range(0, len(whole), 7):
            assert await room.output(handle, cursor=f"invocation:{had}") == whole[had:]


async def test_a_look_without_following_ends_and_holds_nothing_up(opened):
    async with opened() as room:
        handle = await room.run(lines=LINES, run_seconds=1.0)
        await room.until(handle, lambda status: status.state is JobState.RUNNING)
        await asyncio.sleep(0.2)
        async with asyncio.timeout(5), aclosing(room.observer.logs(handle, LogQuery())) as look:
            seen = b"".join([batch.data async for batch in look])
        assert WHOLE.startswith(seen)
        assert len(seen) < len(WHOLE)
        async with asyncio.timeout(5):
            assert await room.output(handle) == WHOLE


async def test_the_last_lines(opened):
    async with opened() as room:
        handle = await room.run(lines=LINES, run_seconds=0.1)
        await room.ended(handle)
        async with aclosing(room.observer.logs(handle, LogQuery(tail_lines=2))) as look:
            tail = b"".join([batch.data async for batch in look])
        assert tail.decode().splitlines() == LINES[-2:]


@pytest.mark.docker
@pytest.mark.parametrize("code", [0, 7])
@pytest.mark.parametrize("lag", [0.0, 0.3])
async def test_a_self_reported_exit_code_is_labelled_and_waited_for(opened, code, lag):
    settings = {"self_reported_exit": True, "log_drain_seconds": 2}
    async with opened(settings, executor="docker", archive_lag_seconds=lag) as room:
        spec = room.spec()
        submitted = await room.submit(
            type(spec)(name="job", image="busybox:1.36", command=("sh", "-c", f"exit {code}"))
        )
        status = await room.ended(submitted.handle)
        assert (status.exit_code, status.exit_code_source) == (code, ExitCodeSource.SELF_REPORTED)
        assert await room.output(submitted.handle) == b""


async def test_no_address_and_no_token_in_an_error(opened):
    async with opened(faults=[Fault(kind="server_error", operation="archive")]) as room:
        handle = await room.run(lines=LINES, run_seconds=0.1)
        await room.ended(handle)
        with pytest.raises(Transient) as raised:
            async with aclosing(room.observer.logs(handle, LogQuery())) as look:
                _ = [batch async for batch in look]
        assert "token=" not in str(raised.value)
        assert "?" not in raised.value.message
