"""A host of its own: does one thing to the plugin ``raw``; prints what came, and its memory."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError
from dayfly.contract.jobs import JobHandle, JobSpec, Submission
from dayfly.host import PluginConnection, connect, find_plugin, spawn
from dayfly.jobs import Jobs, Journal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

JOB = JobHandle(id="1", name="n")
PLACE = Path(sys.argv[2])


async def ask_for_a_while(plugin: PluginConnection) -> str:
    """Is answered all the while, and never waits long."""
    longest = 0.0
    for _ in range(30):
        began = time.monotonic()
        await plugin.services.runner.run_job(JobSpec(image="i", command=("true",)))
        longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(0.1)
    return "answered" if longest < 2 else f"waited {longest:.1f} s"


async def until_told(plugin: PluginConnection) -> str:
    """Until the plugin has sent all that it has."""
    told = f"/proc/{plugin.pid}/cwd/told"
    async with asyncio.timeout(40):
        while not os.access(told, os.F_OK):
            await plugin.services.runner.run_job(JobSpec(image="i", command=("true",)))
            await asyncio.sleep(0.05)
    return "answered"


async def run_job(plugin: PluginConnection) -> str:
    return (await plugin.services.runner.run_job(JobSpec(image="i", command=("true",)))).id


async def submit(plugin: PluginConnection) -> str:
    submission = Submission(spec=JobSpec(command=("true",)), key="k")
    return (await plugin.services.submitter.submit(submission, lambda _: None)).handle.id


async def classic_status(plugin: PluginConnection) -> str:
    status = await plugin.services.runner.job_status(JOB)
    return f"{status.state.name} {status.exit_code}"


async def status(plugin: PluginConnection) -> str:
    (status,) = await plugin.services.observer.statuses([JOB])
    return f"{status.state.name} {status.exit_code}"


async def describe(plugin: PluginConnection) -> str:
    return (await plugin.services.submitter.describe()).provider


async def classic_logs(plugin: PluginConnection) -> str:
    count = 0
    async for batch in plugin.services.runner.job_logs(JOB):
        count += len(batch.data)
    return str(count)


async def follow(plugin: PluginConnection) -> str:
    journal = Journal.open(PLACE / "journal.sqlite3")
    async with Jobs(plugin.services, provider="raw", journal=journal) as jobs:
        return str(sum([len(b.data) async for b in jobs.attach(JOB).output()]))


async def main(action: Callable[[PluginConnection], Awaitable[str]]) -> None:
    async with connect(spawn(find_plugin("raw"))) as plugin:
        try:
            seen = await action(plugin)
        except DayflyError as error:
            seen = f"{type(error).__name__}: {error}"[:500]
    print(json.dumps({"seen": seen, "peak_mib": peak_kib() // 1024}))


def peak_kib() -> int:
    """The most memory that this process has had; ru_maxrss begins with what its parent had."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak
    return int(peak[1])


if __name__ == "__main__":
    asyncio.run(main(globals()[sys.argv[1]]))
