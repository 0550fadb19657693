"""Each service's client, over a real socket: what it sends, and what comes back."""

from __future__ import annotations

import pytest

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.contract.jobs import ExitCodeSource, JobHandle, JobSpec, LogQuery, Submission
from dayfly.contract.provider import CheckOutcome, Leftover, Region
from dayfly.host import connect, spawn

CAPTURE = {
    "resource_name": "web",
    "resource_type": "app",
    "provider_id": "1",
    "component_name": "",
    "tail_lines": 10,
    "follow": False,
    "duration_seconds": 0,
    "deployment_id": "",
}


@pytest.fixture
async def services(raw):
    async with connect(spawn(raw("full"))) as plugin:
        yield plugin.services


async def test_events(services):
    handles = [JobHandle(id="a"), JobHandle(id="b")]
    assert [changed async for changed in services.events.events(handles)] == ["a", "b"]


async def test_inventory(services):
    (job,) = await services.inventory.list_jobs()
    assert (job.status.handle.id, job.key, job.labels) == ("1", "k", {"a": "b"})
    assert job.status.exit_code_source is ExitCodeSource.UNKNOWN
    assert await services.inventory.prune(dry_run=True, older_than_seconds=60) == [
        Leftover(kind="container", name="True 60")
    ]


async def test_an_error_keeps_its_class_its_words_and_its_advice(services):
    with pytest.raises(FailedPrecondition, match="job 7 still runs") as caught:
        await services.inventory.delete(JobHandle(id="7"))
    assert caught.value.advice == "Cancel it first."


async def test_cancel(services):
    assert await services.canceler.cancel_job(JobHandle(id="1")) is None


async def test_check_with_an_outcome_of_a_later_version(services):
    (check,) = await services.submitter.check()
    assert (check.name, check.outcome) == ("engine", CheckOutcome.WARNING)


async def test_plan(services):
    plan = await services.submitter.plan(Submission(spec=JobSpec(command=("true",)), key="k"))
    assert [(c.call, c.request) for c in plan.calls] == [("RunTask", "k")]
    assert plan.notes == ("rounded up",)


async def test_regions(services):
    assert await services.regions.list_regions("prod") == [Region(name="prod", display_name="Here")]


async def test_log_capture(services):
    batches = services.log_capture.capture_logs(log_type="DEPLOY", **CAPTURE)
    assert [b.data async for b in batches] == [b"web LOG_CAPTURE_TYPE_DEPLOY"]
    with pytest.raises(InvalidField, match="BUILD, DEPLOY, RUN") as caught:
        [b async for b in services.log_capture.capture_logs(log_type="NOPE", **CAPTURE)]
    assert caught.value.field == "log_type"


async def test_a_reader_that_leaves_early_frees_the_stream(services):
    batches = services.observer.logs(JobHandle(id="flood:100000"), LogQuery())
    assert len((await anext(batches)).data) == 65536
    await batches.aclose()
    assert (await services.submitter.describe()).provider == "raw"
