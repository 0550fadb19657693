"""A log group on the real wire, and what a reader gives of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws.errors import ApiError
from tests.emulators.aws.script import emulate

from dayfly.contract.jobs import LogQuery
from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.logs.reader import LogPlace, LogReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from dayfly.sdk.pacing import Rate

REGION, GROUP = "eu-west-1", "/dayfly/jobs"
OLD = int(time.time() * 1000) - 3_600_000
FOLLOW = LogQuery(follow=True)


class Kept:
    """Log streams of one group, with every timestamp and ingestion as a test wants them.

    Attributes:
        streams: (timestamp, message, ingestion) by stream; what is added is visible.
        page: Events in a page.
        refuses_missing: A call for many is refused for one that is not there.
        requests: What was asked, as (operation, members).
        generation: Tokens of another one are refused.
    """

    def __init__(self, scripted: Any) -> None:
        self.streams: dict[str, list[tuple[int, str, int]]] = {}
        self.page = 10_000
        self.refuses_missing = True
        self.generation = 0
        self.requests: list[tuple[str, dict[str, Any]]] = []
        scripted.answers |= {
            "logs.GetLogEvents": self.one, "logs.FilterLogEvents": self.many
        }  # fmt: skip

    def add(self, stream: str, *lines: str, at: int = OLD, ingested: int | None = None) -> None:
        there = self.streams.setdefault(stream, [])
        there += [(at, line, at if ingested is None else ingested) for line in lines]
        there.sort(key=lambda event: event[0])

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [members for name, members in self.requests if name == operation]

    def one(self, call: Any) -> Any:
        members = call.parameters()
        self.requests.append((call.operation, members))
        token = members.get("nextToken", "")
        if members["logStreamName"] not in self.streams:
            return missing("stream")
        if token and not token.endswith(f"/{self.generation}"):
            return ApiError("InvalidParameterException", "The specified nextToken is invalid.")
        name = members["logStreamName"]
        events = [self._event(name, event) for event in self.streams[name]]
        start = sum(event["timestamp"] < members.get("startTime", 0) for event in events)
        size = min(members.get("limit", self.page), self.page)
        if token.startswith("b/") or (not token and not members.get("startFromHead")):
            last = int(token.split("/")[1]) if token else len(events)
            first = max(last - size, start)
        else:
            first = int(token.split("/")[1]) if token else start
            last = min(first + size, len(events))
        return {
            "events": [{k: event[k] for k in event if k[0] != "l"} for event in events[first:last]],
            "nextForwardToken": f"f/{last}/{self.generation}",
            "nextBackwardToken": f"b/{first}/{self.generation}",
        }

    def many(self, call: Any) -> Any:
        members = call.parameters()
        self.requests.append((call.operation, members))
        names = members["logStreamNames"]
        if self.refuses_missing and not set(names) <= set(self.streams):
            return missing("stream")
        events = [
            self._event(name, event)
            for name in names
            for event in self.streams.get(name, ())
            if event[0] >= members["startTime"]
        ]
        events.sort(key=lambda event: event["timestamp"])
        first = int(members.get("nextToken", 0))
        last = first + self.page
        more = {"nextToken": str(last)} if last < len(events) else {}
        return {"events": events[first:last], **more}

    def _event(self, name: str, event: tuple[int, str, int]) -> dict[str, Any]:
        at, message, ingested = event
        return {
            "logStreamName": name, "timestamp": at, "message": message, "ingestionTime": ingested
        }  # fmt: skip


def missing(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"The specified log {what} does not exist.")


@pytest.fixture
def kept(scripted: Any) -> Kept:
    return Kept(scripted)


@pytest.fixture
async def make_reader() -> AsyncIterator[Callable[..., LogReader]]:
    """Readers without a pace, or with that of AWS."""
    made: list[tuple[LogReader, Aws]] = []

    def make(url: str, settle: float = 2.0, rates: Mapping[str, Rate] | None = None) -> LogReader:
        config = Config(region=REGION, endpoint_url=url, log_settle_seconds=settle)
        aws = Aws(config, rates=rates or {})
        made.append((LogReader(aws, config), aws))
        return made[-1][0]

    yield make
    for reader, aws in made:
        await reader.close()
        await aws.close()


@pytest.fixture
def reader(make_reader: Any, scripted: Any) -> LogReader:
    made: LogReader = make_reader(scripted.url)
    return made


@pytest.fixture
async def unpaced(emulator: Any) -> AsyncIterator[Aws]:
    aws = Aws(Config(region=REGION, endpoint_url=emulator.url), rates={})
    yield aws
    await aws.close()


def place(stream: str = "a", **fields: Any) -> LogPlace:
    return LogPlace(region=REGION, group=GROUP, stream=stream, **fields)


async def pages(reader: LogReader, where: LogPlace, **query: Any) -> list[Any]:
    """All batches that there are now."""
    asked, batches = LogQuery(**query), []
    while page := await reader.page(where, asked):
        batches += page
        asked = replace(asked, cursor=page[-1].cursor, tail_lines=None)
    return batches


async def output(reader: LogReader, where: LogPlace, **query: Any) -> str:
    return b"".join(batch.data for batch in await pages(reader, where, **query)).decode()


async def together(reader: LogReader, *asked: tuple[LogPlace, str]) -> list[Any]:
    """A page of each, in one call if it may be; text and last cursor."""
    read = [reader.page(where, replace(FOLLOW, cursor=cursor)) for where, cursor in asked]
    return [
        (b"".join(b.data for b in page).decode(), page[-1].cursor if page else cursor)
        for page, (_, cursor) in zip(await asyncio.gather(*read), asked, strict=True)
    ]


def now_ms() -> int:
    return int(time.time() * 1000)


def lines(*texts: object) -> str:
    return "".join(f"{text}\n" for text in texts)


async def launch(aws: Any, **behaviour: Any) -> LogPlace:
    options = {
        "awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "dayfly",
        "awslogs-create-group": "true",
    }  # fmt: skip
    container = {
        "name": "job", "image": "job", "essential": True,
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }  # fmt: skip
    await aws.call(
        "ecs", "RegisterTaskDefinition",
        family="logs", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
        cpu="256", memory="512", containerDefinitions=[container],
        executionRoleArn="arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
    )  # fmt: skip
    return await run(aws, **behaviour)


async def run(aws: Any, **behaviour: Any) -> LogPlace:
    answer = await aws.call(
        "ecs", "RunTask",
        taskDefinition="logs", launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}},
        overrides={"containerOverrides": [{"name": "job", "command": emulate(**behaviour)}]},
    )  # fmt: skip
    (task,) = answer["tasks"]
    return place(f"dayfly/job/{task['taskArn'].rsplit('/')[-1]}", since=task["createdAt"])


async def are_over(aws: Any, places: list[LogPlace]) -> list[bool]:
    ids = [where.stream.rsplit("/")[-1] for where in places]
    answer = await aws.call("ecs", "DescribeTasks", tasks=ids)
    over = {t["taskArn"].rsplit("/")[-1] for t in answer["tasks"] if t["lastStatus"] == "STOPPED"}
    return [one in over for one in ids]


async def ended(aws: Any, *places: LogPlace) -> None:
    async with asyncio.timeout(10):
        while True:
            if all(await are_over(aws, list(places))):
                return
            await asyncio.sleep(0.05)
