"""A plugin that does what the tests need; words on its command line leave things out."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from datetime import UTC, datetime

from dayfly.contract.errors import InvalidField, Throttled
from dayfly.contract.jobs import (
    JobHandle,
    JobState,
    JobStatus,
    LogBatch,
    Progress,
    Reason,
    Stream,
    Submitted,
)
from dayfly.contract.provider import Description, JobPlan, Leftover, ListedJob, Region
from dayfly.sdk import Plugin, serve
from dayfly.sdk.secrets import SecretResolver

MODES = set(sys.argv[1:])
MIB = 1024 * 1024
INITIALIZED: list[object] = []
SECRETS = SecretResolver({"canary": "env:CANARY"})

if "prints-at-import" in MODES:
    print("printed at import")


async def initialize(config):
    if "colour" in config:
        raise InvalidField("colour is no key", field="colour", advice="Leave it out.")
    INITIALIZED.append(dict(config))


async def close():
    if closed := os.environ.get("CLOSED_FILE"):
        os.close(os.open(closed, os.O_CREAT | os.O_WRONLY))


class Submitter:
    async def describe(self):
        return Description(
            provider="scripted",
            version="1.2.3",
            honours=frozenset({"command", "secrets", "run_command"}),
            side_effects=tuple(str(config) for config in INITIALIZED),
            poll_min_seconds=0.01,
            poll_max_seconds=0.02,
        )

    async def check(self):
        print("printed by check")
        os.write(2, b"written by check\n")
        return []

    async def plan(self, submission):
        match submission.spec.command:
            case ("throttled",):
                raise Throttled("slow down", reason=Reason.NO_CAPACITY, retry_after_seconds=2.5)
            case ("grouped",):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._refuse())
            case ("broken",):
                raise ZeroDivisionError("division by zero")
            case ("unpacked",):
                import no_such_package  # noqa: F401
            case ("unpacked", "grouped"):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._import())
            case ("leak",):
                [value] = (await SECRETS.resolve(submission.spec.secrets)).values()
                logging.getLogger("third.party").warning("connecting with %s", value)
                raise RuntimeError(f"cannot log in with {value}")
            case ("flood",):
                for _ in range(1024):
                    print("x" * 1023)
        return JobPlan(calls=())

    async def _import(self):
        import no_such_package  # noqa: F401

    async def _refuse(self):
        raise InvalidField("no", field="command")

    async def submit(self, submission, report):
        def work():
            for done in range(3):
                report(Progress(phase="pulling image", done=done, total=3))

        await asyncio.to_thread(work)
        return Submitted(handle=JobHandle(id=submission.key, name=str(submission.spec.argv)))

    async def find(self, key):
        if key == "blocks":
            time.sleep(3600)  # noqa: ASYNC251 - a provider that blocks the loop
        await asyncio.sleep(0.05)
        return JobHandle(id=key) if key != "unknown" else None


class Observer:
    def __init__(self):
        self.looks = 0

    async def statuses(self, handles):
        if handles and handles[0].id == "miscounted":
            return []
        state = JobState.UNKNOWN if handles and handles[0].id == "gone" else JobState.SUCCEEDED
        return [JobStatus(handle=handle, state=state) for handle in handles]

    async def logs(self, handle, query):
        match handle.id:
            case "big":
                for number in range(3200):
                    yield LogBatch(stream=Stream.STDOUT, data=b"x" * 65536, cursor=str(number))
            case "small":
                for number in range(20_000):
                    stream = Stream.STDERR if number % 100 == 99 else Stream.STDOUT
                    yield LogBatch(stream=stream, data=b"%d\n" % number, cursor=str(number))
            case "slow":
                yield LogBatch(stream=Stream.STDOUT, data=b"first", cursor="1")
                await asyncio.sleep(3600)
            case "fails":
                yield LogBatch(stream=Stream.STDOUT, data=b"before", cursor="1")
                raise Throttled("the log service is busy")
            case _:  # Pages, as a provider without streams has them.
                at = int(query.cursor or 0)
                pages = [b"one\n", b"two\n", b"three\n"]
                if at < len(pages):
                    time_ = datetime(2026, 1, 1, tzinfo=UTC)
                    yield LogBatch(
                        stream=Stream.STDOUT,
                        data=pages[at],
                        cursor=str(at + 1),
                        times=((0, time_),),
                    )


class Events:
    async def events(self, handles):
        for handle in handles:
            yield handle.id
        await asyncio.sleep(3600)


class Inventory:
    async def list_jobs(self):
        status = JobStatus(handle=JobHandle(id="1"), state=JobState.RUNNING)
        return [ListedJob(status=status, key="k", labels={"a": "b"}, warning="look")]

    async def delete(self, handle):
        pass

    async def prune(self, *, dry_run, older_than_seconds):
        return [Leftover(kind="container", name=str(older_than_seconds), detail=str(dry_run))]


class Canceler:
    async def cancel_job(self, handle):
        pass


class Regions:
    async def list_regions(self, env_name):
        return [Region(name="r1", display_name=env_name)]


class LogCapturer:
    async def capture_logs(self, *, log_type, **_rest):
        yield LogBatch(stream=Stream.COMBINED, data=log_type.encode(), cursor="")


if __name__ == "__main__":
    few = "few" in MODES
    serve(
        Plugin(
            name="scripted",
            version="1.2.3",
            initialize=initialize,
            close=close,
            submitter=Submitter(),
            observer=Observer(),
            events=None if few else Events(),
            inventory=None if few else Inventory(),
            canceler=None if few else Canceler(),
            regions=None if few else Regions(),
            log_capture=None if few else LogCapturer(),
        )
    )
