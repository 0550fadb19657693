"""Each handle is the matter of the runner that made it, whatever is configured now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.errors import FailedPrecondition, NotFound
from dayfly.contract.jobs import (
    JobHandle,
    JobSpec,
    JobState,
    JobStatus,
    LogQuery,
    Reason,
    Stream,
    Submission,
)
from dayfly.providers.aws.canceler import Canceler
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.inventory import Inventory
from dayfly.providers.aws.observer import Observer
from dayfly.providers.aws.runner import Submitter
from dayfly.providers.aws.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.emulators.aws import Emulator


def handle(name: str, runner: str = "") -> JobHandle:
    return JobHandle(id=name, provider="aws", metadata={"runner": runner} if runner else {})


class Recorder:
    """A runner that remembers what it was asked, and meets the other one in the middle."""

    def __init__(self, state: JobState, both: asyncio.Barrier | None = None) -> None:
        self.state, self.both = state, both
        self.asked: list[tuple[str, Any]] = []

    async def close(self) -> None:
        """Nothing is open."""

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        self.asked.append(("statuses", [one.id for one in handles]))
        if self.both is not None:
            async with asyncio.timeout(10):
                await self.both.wait()
        return [JobStatus(handle=one, state=self.state) for one in handles]

    async def cancel(self, one: JobHandle) -> None:
        self.asked.append(("cancel", one.id))

    async def delete(self, one: JobHandle) -> None:
        self.asked.append(("delete", one.id))

    async def log_place(self, one: JobHandle) -> None:
        self.asked.append(("log_place", one.id))


@pytest.fixture
async def session(emulator: Emulator) -> AsyncIterator[Session]:
    made = Session()
    await made.configure(
        Config(
            region="eu-west-1",
            endpoint_url=emulator.url,
            cluster="jobs",
            subnets=emulator.knobs.subnets,
            execution_role="arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
            log_settle_seconds=0,
        )
    )
    yield made
    await made.close()


@pytest.fixture
def runners(session: Session) -> dict[str, Recorder]:
    both = asyncio.Barrier(2)
    made = {
        "ecs": Recorder(JobState.RUNNING, both),
        "batch": Recorder(JobState.PENDING, both),
    }
    session._runners = dict(made)  # type: ignore[arg-type]
    return made


async def test_each_runner_is_asked_once_for_all_its_jobs_at_the_same_time(
    session: Session, runners: dict[str, Recorder]
) -> None:
    handles = [
        handle("b1", "batch"),
        handle("e1", "ecs"),
        handle("stranger"),
        handle("b2", "batch"),
        handle("e1", "ecs"),
        handle("other", "lambda"),
    ]
    statuses = await Observer(session).statuses(handles)
    assert [status.handle for status in statuses] == handles
    assert [status.state.name for status in statuses] == [
        "PENDING", "RUNNING", "UNKNOWN", "PENDING", "RUNNING", "UNKNOWN",
    ]  # fmt: skip
    assert runners["ecs"].asked == [("statuses", ["e1", "e1"])]
    assert runners["batch"].asked == [("statuses", ["b1", "b2"])]


async def test_a_stranger_is_lost_and_nobody_is_asked(session: Session, emulator: Emulator) -> None:
    [status] = await Observer(session).statuses([handle("stranger")])
    assert (status.state, status.reason) == (JobState.UNKNOWN, Reason.LOST)
    assert "not made by this provider" in status.message
    assert not emulator.calls
    assert await Observer(session).statuses([]) == []


async def test_whoever_made_it_cancels_and_deletes_it(
    session: Session, runners: dict[str, Recorder]
) -> None:
    # ECS is configured; the job is one of Batch's.
    await Canceler(session).cancel_job(handle("b1", "batch"))
    await Inventory(session).delete(handle("b1", "batch"))
    assert runners["batch"].asked == [("cancel", "b1"), ("delete", "b1")]
    assert not runners["ecs"].asked


async def test_a_stranger_is_refused_where_something_is_to_be_done(session: Session) -> None:
    stranger = handle("stranger")
    with pytest.raises(NotFound):
        await Canceler(session).cancel_job(stranger)
    with pytest.raises(NotFound):
        await Inventory(session).delete(stranger)
    with pytest.raises(NotFound):
        _ = [batch async for batch in Observer(session).logs(stranger, LogQuery())]


async def test_while_there_is_no_place_there_is_no_output(
    session: Session, runners: dict[str, Recorder], emulator: Emulator
) -> None:
    batches = [b async for b in Observer(session).logs(handle("b1", "batch"), LogQuery())]
    assert batches == []
    assert runners["batch"].asked == [("log_place", "b1")]
    assert not emulator.calls


async def test_a_job_from_its_launch_to_its_removal(session: Session, emulator: Emulator) -> None:
    submitter, observer, inventory = Submitter(session), Observer(session), Inventory(session)
    script = '{"lines": ["one", "two"], "run_seconds": 0.1, "exit_code": 3}'
    spec = JobSpec(name="a-test", image="busybox", command=("emulate", script))
    submission = Submission(spec=spec, key="a-key")
    planned = await submitter.plan(submission)
    assert [call.call for call in planned.calls] == ["ecs:RegisterTaskDefinition", "ecs:RunTask"]
    assert not emulator.tasks()
    job = (await submitter.submit(submission, lambda _progress: None)).handle
    assert await submitter.find("a-key") is not None
    async with asyncio.timeout(20):
        [status] = await observer.statuses([job])
        while not status.final:
            await asyncio.sleep(0.05)
            [status] = await observer.statuses([job])
    assert (status.state, status.exit_code) == (JobState.FAILED, 3)
    output, cursor = b"", ""
    async with asyncio.timeout(20):
        while output.count(b"\n") < 2:
            async for batch in observer.logs(job, LogQuery(cursor=cursor)):
                assert batch.stream is Stream.COMBINED
                output, cursor = output + batch.data, batch.cursor
    assert output == b"one\ntwo\n"
    assert [listed.status.handle.id for listed in await inventory.list_jobs()] == [job.id]
    await Canceler(session).cancel_job(job)
    await inventory.delete(job)
    left = await inventory.prune(dry_run=True, older_than_seconds=0)
    assert [one.kind for one in left] == ["task definition"]


async def test_a_job_that_there_is_not(session: Session) -> None:
    gone = JobHandle(
        id="arn:aws:ecs:eu-west-1:123456789012:task/jobs/" + "0" * 32,
        provider="aws",
        metadata={"runner": "ecs", "region": "eu-west-1", "cluster": "jobs", "created": "1"},
    )
    [status] = await Observer(session).statuses([gone])
    assert status.state is JobState.UNKNOWN
    with pytest.raises(NotFound):
        await Canceler(session).cancel_job(gone)


async def test_before_the_settings_nothing_works() -> None:
    session = Session()
    with pytest.raises(FailedPrecondition, match="not initialized"):
        await Submitter(session).describe()
    with pytest.raises(FailedPrecondition):
        await Inventory(session).list_jobs()
