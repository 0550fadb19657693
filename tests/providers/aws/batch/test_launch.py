"""One key, one job, on a queue that knows no keys."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.errors import AlreadyExists, Conflict, FailedPrecondition, InvalidField
from dayfly.contract.jobs import JobState, Reason, Submission
from dayfly.providers.aws.batch.queue import INSTEAD_OF, job_name
from dayfly.providers.aws.batch.reasons import SUPERSEDED_WORDS

if TYPE_CHECKING:
    from tests.providers.aws.batch.conftest import Room

pytestmark = pytest.mark.cloud


async def test_a_job_runs_and_says_how_it_ended(room: Room) -> None:
    handle = await room.run('echo "$GREETING"; exit 42', env={"GREETING": "a b\n$c 'd' é"})
    made = int(handle.metadata["created"])
    assert handle.metadata == {
        "runner": "batch",
        "region": "us-east-1",
        "queue": room.config.queue,
        "created": str(made),
    }
    assert abs(time.time() - made / 1000) < 30
    status = await room.ended(handle)
    assert (status.state, status.exit_code) == (JobState.FAILED, 42)
    assert status.reason is Reason.EXITED_NONZERO
    assert status.created is not None
    assert status.started is not None
    assert status.ended is not None
    assert status.created <= status.started <= status.ended
    assert await room.output(handle) == ["a b", "$c 'd' é"]


async def test_success_is_told(room: Room) -> None:
    status = await room.ended(await room.run("true"))
    assert (status.state, status.exit_code) == (JobState.SUCCEEDED, 0)


async def test_a_line_of_shell(room: Room) -> None:
    spec = replace(room.spec(), run_command="x='a  b'; echo \"$x\"; exit 6")
    handle = (await room.submit(spec)).handle
    assert (await room.ended(handle)).exit_code == 6
    assert await room.output(handle) == ["a  b"]


async def test_a_key_is_one_job(room: Room) -> None:
    spec = room.spec("sh", "-c", "exit 3")
    first = await room.submit(spec, "one")
    again = await room.submit(spec, "one")
    assert (first.adopted, again.adopted) == (False, True)
    assert again.handle == first.handle
    await room.ended(first.handle)
    later = await room.submit(spec, "one")
    assert later.adopted
    assert later.handle == first.handle
    assert await room.runner.find("one") == first.handle
    assert await room.runner.find("none") is None


async def test_a_key_is_known_by_other_machines(make_room: Any) -> None:
    here, there = await make_room(), await make_room()
    spec = here.spec("true")
    first = await here.submit(spec, "one")
    again = await there.submit(spec, "one")
    assert again.adopted
    assert again.handle == first.handle


async def test_another_job_under_the_key_is_refused(room: Room) -> None:
    await room.submit(room.spec("true"), "one")
    for other in (room.spec("false"), room.spec("true", name=f"{room.server.marker}-b")):
        with pytest.raises(AlreadyExists) as refused:
            await room.submit(other, "one")
        assert refused.value.field == "key"


async def test_of_a_key_launched_by_many_at_once_one_job_counts(make_room: Any) -> None:
    rooms = [await make_room() for _ in range(3)]
    spec = rooms[0].spec("sleep", "2")
    answers = await asyncio.gather(*(room.submit(spec, "one") for room in rooms))
    assert len({answer.handle.id for answer in answers}) == 1
    assert sum(not answer.adopted for answer in answers) <= 1
    status = await rooms[0].ended(answers[0].handle)
    assert (status.state, status.exit_code) == (JobState.SUCCEEDED, 0)
    assert [job.key for job in await rooms[0].runner.list_jobs()] == ["one"]


async def test_the_younger_of_two_jobs_of_a_key_gives_way(room: Room) -> None:
    """Two that raced past each other's first look: what the second look does about it."""
    launcher, queue = room.runner._launcher, room.runner._queue
    submission = Submission(spec=room.spec("sleep", "3"), key="one")
    older = (await launcher._submit(await launcher.prepare(submission)))["jobId"]
    await asyncio.sleep(0.05)
    looks = 0
    look = queue.of_key

    async def late_look(key: str) -> list[dict[str, Any]]:
        nonlocal looks
        looks += 1
        return [] if looks == 1 else await look(key)

    queue.of_key = late_look  # type: ignore[method-assign]
    answer = await room.runner.submit(submission)
    assert answer.adopted
    assert answer.handle.id == older
    listed = await queue.named(f"{job_name('one', '')}*")
    [younger] = [str(job["jobId"]) for job in listed if job["jobId"] != older]
    status = await room.ended(replace(answer.handle, id=younger))
    assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
    assert SUPERSEDED_WORDS in status.evidence
    assert [job.status.handle.id for job in await room.runner.list_jobs()] == [older]


async def test_a_job_launched_again_takes_the_place_of_the_first(room: Room) -> None:
    spec = room.spec("true")
    first = await room.submit(spec, "one")
    second = await room.submit(spec, "one", instead_of=first.handle.id)
    assert not second.adopted
    assert second.handle.id != first.handle.id
    again = await room.submit(spec, "one", instead_of=first.handle.id)
    assert again.adopted
    assert again.handle == second.handle
    assert (await room.submit(spec, "one")).handle == second.handle
    assert await room.runner.find("one") == second.handle
    details = await room.runner._queue.details([second.handle.id])
    assert details[second.handle.id]["tags"][INSTEAD_OF] == first.handle.id


async def test_runs_of_the_same_content_share_a_definition(make_room: Any) -> None:
    here, there = await make_room(), await make_room()
    image = f"dayfly-test:{here.server.marker}-{here.config.queue}"
    specs = [here.spec("true", image=image), here.spec("false", image=image, env={"A": "1"})]
    await asyncio.gather(*(here.submit(spec) for spec in specs))
    await there.submit(specs[0])
    [definition] = await here.definitions_of(image)
    assert definition["revision"] == 1
    assert definition["jobDefinitionName"].startswith("dayfly-")
    assert definition["platformCapabilities"] == ["FARGATE"]


async def test_a_definition_that_went_meanwhile_is_registered_anew(room: Room) -> None:
    spec, definitions = room.spec("true", user="1001"), room.runner._definitions
    prepared = await room.runner._launcher.prepare(Submission(spec=spec, key="one"))
    assert prepared.definition is not None
    arn = await definitions.get(prepared.definition)
    definitions._known._arns[prepared.definition.name] = f"{arn}999"
    with pytest.raises(Conflict):
        await room.submit(spec, "one")
    assert not (await room.submit(spec, "one")).adopted
    assert await definitions.get(prepared.definition) == arn


async def test_what_is_too_long_to_override_has_a_definition_of_its_own(room: Room) -> None:
    text = "x" * 9000
    handle = await room.run('echo "${#TEXT}"', key="long", env={"TEXT": text})
    await room.ended(handle)
    assert await room.output(handle) == ["9000"]
    assert "/dayfly-run-" in handle.metadata["definition"]
    assert await room.runner.find("long") == handle


async def test_labels_are_kept(room: Room) -> None:
    labels = {"team": "data platform", "app.example/ref": "é=1"}
    await room.run("true", key="labelled", labels=labels)
    [job] = await room.runner.list_jobs()
    assert (job.key, dict(job.labels)) == ("labelled", labels)


async def test_the_log_group_is_made_with_its_retention(make_room: Any) -> None:
    room = await make_room()
    mine = await make_room(log_group=f"/dayfly/{room.config.queue}", log_retention_days=7)
    await mine.run("true")
    [group] = (
        await mine.aws.call("logs", "DescribeLogGroups", logGroupNamePrefix=mine.config.log_group)
    )["logGroups"]
    assert group["retentionInDays"] == 7


@pytest.mark.parametrize(
    ("setting", "field"), [({"queue": ""}, "queue"), ({"execution_role": ""}, "execution_role")]
)
async def test_a_missing_setting_is_named(
    make_room: Any, setting: dict[str, str], field: str
) -> None:
    await make_room()
    room = await make_room(**setting)
    with pytest.raises(FailedPrecondition) as refused:
        await room.run("true")
    assert refused.value.field == field


async def test_a_queue_that_is_not_there_is_named(make_room: Any) -> None:
    await make_room()
    room = await make_room(queue="no-such-queue")
    with pytest.raises(InvalidField) as refused:
        await room.run("true")
    assert refused.value.field == "queue"


async def test_a_plan_creates_nothing(room: Room) -> None:
    submission = Submission(spec=room.spec("true", image="planned:1"), key="planned")
    plan = await room.runner.plan(submission)
    assert [call.call for call in plan.calls] == ["batch:RegisterJobDefinition", "batch:SubmitJob"]
    assert '"planned:1"' in plan.calls[0].request
    assert room.config.queue in plan.calls[1].request
    assert await room.runner.find("planned") is None
    assert await room.runner.list_jobs() == []
    assert await room.definitions_of("planned:1") == []
