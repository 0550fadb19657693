"""A thousand jobs on ECS through the plugin, and beside it a bare client with one poller.

Against the project's own emulator in a process of its own: 20 ms a call, RunTask 20 and 20
a second, DescribeTasks 50 and 20 a second, jobs of 13 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import psutil
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession

from bench.paired import Row
from dayfly.api import connect
from dayfly.host import Config, ProviderConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JOBS = 1000
FOLLOWED, LINES = 100, 1000
RUN_SECONDS = 11.0
KNOBS: dict[str, Any] = {
    "latency_seconds": 0.02,
    "rates": {"RunTask": [20, 20], "DescribeTasks": [50, 20], "GetLogEvents": [25, 25],
              "FilterLogEvents": [5, 5]},
    "provisioning_seconds": 1.0,
    "pending_seconds": 0.5,
    "deprovisioning_seconds": 0.5,
    "check_responses": False,
    "log_lag_seconds": 1.0,
    "log_streams_appear_at_start": True,
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster": "jobs",
    "subnets": ["subnet-0123456789abcdef0"],
    "execution_role": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000000000", "AWS_SECRET_ACCESS_KEY": "an-example-key"}


@dataclass(frozen=True)
class Flight:
    """What a thousand jobs took.

    Attributes:
        notices: Seconds from each job's end to the moment when it was known here.
        calls: API calls in all.
        failures: Jobs that did not end well.
        cpu_seconds: Of all of our processes.
        grown_bytes: Their resident memory at its highest, beyond what it was before.
    """

    notices: Sequence[float]
    calls: int
    failures: int
    cpu_seconds: float
    grown_bytes: int


@contextlib.contextmanager
def emulator() -> Iterator[str]:
    """A fresh one, for as long as the context lasts."""
    argv = [sys.executable, "-m", "tests.emulators.aws", "--knobs", json.dumps(KNOBS)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def asked(url: str, what: str) -> Any:
    with urllib.request.urlopen(f"{url}/_emulator/{what}", timeout=60) as answer:
        return json.load(answer)


def command(**behaviour: object) -> list[str]:
    return ["emulate", json.dumps(behaviour)]


def config(url: str) -> Config:
    settings = SETTINGS | {"endpoint_url": url}
    prod = ProviderConfig(name="prod", plugin="aws", settings=settings)
    return Config(providers={"prod": prod})


class Meter:
    """CPU and memory of this process and of what it started."""

    def __init__(self) -> None:
        children = psutil.Process().children(recursive=True)
        ours = [child for child in children if "tests.emulators.aws" not in child.cmdline()]
        self._processes = [psutil.Process(), *ours]
        self._cpu, self._rss = self._used(), self._resident()
        self.peak = self._rss

    def look(self) -> None:
        """Keep the highest."""
        self.peak = max(self.peak, self._resident())

    def spent(self) -> float:
        """CPU seconds since the beginning."""
        return self._used() - self._cpu

    def grown(self) -> int:
        """Bytes beyond the beginning, at the highest."""
        return self.peak - self._rss

    def _used(self) -> float:
        times = [process.cpu_times() for process in self._processes]
        return sum(one.user + one.system for one in times)

    def _resident(self) -> int:
        return sum(process.memory_info().rss for process in self._processes)


async def through_the_plugin(url: str) -> Flight:
    """Launch a thousand at once, wait for each, remove nothing."""
    ends: dict[str, float] = {}
    failures = 0
    async with connect("prod", config=config(url), keep_journal=False) as prod:
        await (await prod.run(command(run_seconds=0.1), image="x")).wait()
        warm = sum(asked(url, "calls").values())
        meter = Meter()

        async def one() -> None:
            nonlocal failures
            job = await prod.run(command(run_seconds=RUN_SECONDS), image="x")
            status = await job.wait()
            ends[job.handle.id] = time.time()
            failures += status.exit_code != 0

        async def watch_memory() -> None:
            while True:
                meter.look()
                await asyncio.sleep(1)

        watching = asyncio.create_task(watch_memory())
        await asyncio.gather(*(one() for _ in range(JOBS)))
        watching.cancel()
        return flight(url, ends, failures, meter, warm)


def flight(url: str, ends: dict[str, float], failures: int, meter: Meter, warm: int) -> Flight:
    """What the emulator knows of it, beside what we do."""
    stopped = {task["arn"]: task["stopped"] for task in asked(url, "tasks")}
    notices = [at - stopped[arn] for arn, at in ends.items()]
    calls = sum(asked(url, "calls").values()) - warm
    missing = JOBS - len(ends)
    return Flight(notices, calls, failures + missing, meter.spent(), meter.grown())


async def bare(url: str) -> Flight:
    """The floor: RunTask at the published pace, and one DescribeTasks a hundred each second."""
    ends: dict[str, float] = {}
    running: dict[str, None] = {}
    settings = AioConfig(
        retries={"total_max_attempts": 5, "mode": "standard"}, max_pool_connections=50
    )
    session = AioSession()
    async with session.create_client(
        "ecs", region_name="eu-west-1", endpoint_url=url, config=settings
    ) as ecs:
        container = {"name": "job", "image": "x", "essential": True}
        answer = await ecs.register_task_definition(
            family="bare", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
            memory="512", containerDefinitions=[container],
        )  # fmt: skip
        arn = answer["taskDefinition"]["taskDefinitionArn"]
        warm = sum(asked(url, "calls").values())
        meter = Meter()
        network = {"awsvpcConfiguration": {"subnets": SETTINGS["subnets"]}}
        own = [{"name": "job", "command": command(run_seconds=RUN_SECONDS)}]

        async def launch() -> None:
            for begin in range(0, JOBS, 20):
                second = asyncio.create_task(asyncio.sleep(1.05))
                answers = await asyncio.gather(
                    *(
                        ecs.run_task(
                            cluster="jobs", taskDefinition=arn, launchType="FARGATE",
                            networkConfiguration=network, clientToken=f"{begin}-{n}",
                            overrides={"containerOverrides": own},
                        )
                        for n in range(20)
                    )
                )  # fmt: skip
                running.update((a["tasks"][0]["taskArn"], None) for a in answers)
                await second

        launching = asyncio.create_task(launch())
        while not launching.done() or running:
            await asyncio.sleep(1.0)
            arns = list(running)
            for begin in range(0, len(arns), 100):
                seen = await ecs.describe_tasks(cluster="jobs", tasks=arns[begin : begin + 100])
                for task in seen["tasks"]:
                    if task["lastStatus"] == "STOPPED":
                        ends[task["taskArn"]] = time.time()
                        running.pop(task["taskArn"])
            meter.look()
        await launching
        return flight(url, ends, 0, meter, warm)


async def followed(url: str) -> tuple[int, int, float]:
    """A hundred jobs of a thousand lines at once: lines out of place, log calls, seconds."""
    async with connect("prod", config=config(url), keep_journal=False) as prod:
        began = time.perf_counter()

        async def one(number: int) -> int:
            text = f"job {number} line {{i}}"
            script = command(lines=LINES, text=text, run_seconds=10.0)
            job = await prod.run(script, image="x")
            read = [batch.data async for batch in job.output()]
            wanted = b"".join(f"job {number} line {line}\n".encode() for line in range(LINES))
            return int(b"".join(read) != wanted)

        wrong = sum(await asyncio.gather(*(one(n) for n in range(FOLLOWED))))
    calls = asked(url, "calls")
    reads = sum(n for name, n in calls.items() if name.startswith("logs."))
    return wrong, reads, time.perf_counter() - began


def measure() -> list[Row]:
    """Ours, then the floor, then a hundred followed."""
    os.environ.update(KEYS)
    with emulator() as url:
        ours = asyncio.run(through_the_plugin(url))
    with emulator() as url:
        floor = asyncio.run(bare(url))
    with emulator() as url:
        wrong, reads, seconds = asyncio.run(followed(url))
    calls, floor_calls = ours.calls / JOBS, floor.calls / JOBS
    p50, worst = median(ours.notices), max(ours.notices)
    cpu, floor_cpu = ours.cpu_seconds * 1000 / JOBS, floor.cpu_seconds * 1000 / JOBS
    kib = ours.grown_bytes / 1024 / JOBS
    return [
        Row("1,000 jobs on ECS: API calls a job (bare client)",
            f"{calls:.2f} ({floor_calls:.2f})", "at most 1.2", calls <= 1.2),
        Row("jobs that failed, throttling on", f"{ours.failures}", "0", ours.failures == 0),
        Row("notice of the end, p50 (bare client)",
            f"{p50:.2f} s ({median(floor.notices):.2f})", "within 1.5 s", p50 <= 1.5),
        Row("notice of the end, worst (bare client)",
            f"{worst:.2f} s ({max(floor.notices):.2f})", "within 4 s", worst <= 4),
        Row("CPU a job, host and plugin (bare client)",
            f"{cpu:.1f} ms ({floor_cpu:.1f})", "at most 10 ms", cpu <= 10),
        Row("memory a job, host and plugin", f"{kib:.1f} KiB", "at most 15 KiB", kib <= 15),
        Row(f"{FOLLOWED} jobs of {LINES} lines followed: jobs with a line lost or out of place",
            f"{wrong} ({reads} log calls, {seconds:.0f} s)", "0", wrong == 0),
    ]  # fmt: skip
