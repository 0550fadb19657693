# ruff: noqa: N802 - the methods are named by the wire
"""The raw plugin, with the manners of an enemy. Its first word says which."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import raw_plugin as raw

from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import go_plugin_pb2 as go
from dayfly.contract.wire import iac_pb2 as iac

MODE = sys.argv[1]
MEBIBYTE = 1024 * 1024
HUGE = "x" * (100 * MEBIBYTE)


class Stdio(raw.Stdio):
    async def StreamStdio(self, request, context):
        if MODE == "stdio-gigabyte":
            lines = (b"y" * 1023 + b"\n") * 1024
            for _ in range(1024):
                yield go.StdioData(channel=go.StdioData.STDOUT, data=lines)
        if MODE == "stdio-one-message":
            try:
                yield go.StdioData(channel=go.StdioData.STDERR, data=HUGE.encode())
            finally:
                tell()
        if MODE == "stdio-strange-channel":
            yield go.StdioData(channel=77, data=b"nobody reads this\n")
        tell()
        await asyncio.sleep(3600)


class Runner(raw.Runner):
    async def RunJob(self, request, context):
        name = HUGE[: 10 * MEBIBYTE] if MODE == "handle" else request.name
        return iac.JobHandle(id="1", name=name)

    async def JobStatus(self, request, context):
        if MODE == "state":
            return iac.JobStatusReply(state=77, exit_code=1)
        return iac.JobStatusReply(state=iac.JOB_STATE_FAILED, exit_code=3, message=HUGE)

    async def JobLogs(self, request, context):
        if MODE.startswith("log-chunk"):
            size = 31 * MEBIBYTE if MODE == "log-chunk-within" else len(HUGE)
            yield iac.LogChunk(data=HUGE[:size].encode(), source="stdout")
            yield iac.LogChunk(eof=True)
            return
        yield iac.LogChunk(data=b"all\n", source="stdout")
        yield iac.LogChunk(eof=True)
        while True:
            yield iac.LogChunk(data=b"x" * MEBIBYTE, source="stdout")


class Submit(raw.Submit):
    async def Describe(self, request, context):
        return v1.Description(provider="raw", side_effects=[HUGE] if MODE == "answer" else [])

    async def Submit(self, request, context):
        yield v1.SubmitEvent(submitted=v1.Submitted(handle=iac.JobHandle(id=HUGE[: 10 * MEBIBYTE])))


class Observe(raw.Observe):
    async def Statuses(self, request, context):
        state = 77 if MODE == "state" else iac.JOB_STATE_FAILED
        message = HUGE if MODE == "answer" else ""
        return v1.StatusesReply(
            observations=[
                v1.JobObservation(handle=handle, state=state, message=message)
                for handle in request.handles
            ]
        )

    async def Logs(self, request, context):
        yield v1.LogBatch(stream=v1.STREAM_STDOUT, data=b"all\n", cursor="4", end=True)
        while True:
            yield v1.LogBatch(stream=v1.STREAM_STDOUT, data=b"x" * MEBIBYTE, cursor="4")


async def main() -> None:
    if MODE in {"endless-stderr", "endless-stdout"}:
        asyncio.get_running_loop().call_later(0.2, flood)
    await raw.main()


def tell() -> None:
    """Let the host see, in this process's directory, that all was sent."""
    Path("told").touch()


def flood() -> None:
    """A child that never stops printing."""
    subprocess.Popen(["yes", "y" * 200], stdout=2 if MODE == "endless-stderr" else 1)


if __name__ == "__main__":
    os.chdir(os.environ["PLUGIN_UNIX_SOCKET_DIR"])
    for name in ("Stdio", "Runner", "Submit", "Observe"):
        setattr(raw, name, globals()[name])
    asyncio.run(main())
