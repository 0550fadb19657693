"""Cancel, delete, prune, attached jobs, and what doctor sees."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound, Unavailable
from dayfly.contract.jobs import (
    JobHandle,
    JobSpec,
    JobState,
    JobTarget,
    Reason,
    Resources,
    TargetMode,
)
from dayfly.contract.provider import CheckOutcome

if TYPE_CHECKING:
    from tests.providers.aws.batch.conftest import Room

pytestmark = pytest.mark.cloud

STRANGERS: Final = ("no-such-job", "../../etc/passwd", "a" * 1000, "é%2F?x=1#\n", str(uuid.uuid4()))


async def test_a_running_job_is_cancelled(room: Room) -> None:
    handle = await room.run("echo ready; sleep 30")
    status = await room.running(handle)
    assert (status.exit_code, status.ended) == (None, None)
    assert await room.runner.log_place(handle) is None
    await room.runner.cancel(handle)
    await room.runner.cancel(handle)
    status = await room.ended(handle)
    assert (status.state, status.reason) == (JobState.CANCELLED, Reason.CANCELLED)
    await room.runner.cancel(handle)
    assert await room.status(handle) == status
    assert await room.output(handle) == ["ready"]


async def test_a_job_is_cancelled_before_it_runs(room: Room) -> None:
    handle = await room.run("sleep 30")
    await room.runner.cancel(handle)
    assert (await room.ended(handle)).state is JobState.CANCELLED


async def test_a_cancel_leaves_an_ended_job_as_it_ended(room: Room) -> None:
    handle = await room.run("exit 7")
    before = await room.ended(handle)
    await room.runner.cancel(handle)
    after = await room.status(handle)
    assert after == before
    assert (after.state, after.exit_code) == (JobState.FAILED, 7)


async def test_nobody_s_handle_is_unknown(room: Room) -> None:
    own = await room.run("exit 5")
    await room.ended(own)
    strangers = [replace(own, id=name) for name in STRANGERS]
    statuses = await room.runner.statuses([*strangers, own])
    assert [status.handle for status in statuses] == [*strangers, own]
    assert {status.state for status in statuses[:-1]} == {JobState.UNKNOWN}
    assert statuses[-1].exit_code == 5
    assert await room.runner.statuses([]) == []
    for stranger in strangers:
        # One that looks like a job's, and like a new one's, may yet be seen.
        young = stranger is strangers[-1]
        with pytest.raises(Unavailable if young else NotFound):
            await room.runner.cancel(stranger)
        with pytest.raises(Unavailable if young else NotFound):
            await room.runner.log_place(stranger)
        await room.runner.delete(stranger)


async def test_many_are_asked_about_in_a_few_calls(room: Room) -> None:
    own = await room.run("exit 5")
    await room.ended(own)
    others = [JobHandle(id=str(uuid.uuid4()), metadata=own.metadata) for _ in range(250)]
    statuses = await room.runner.statuses([*others, own])
    assert [status.handle.id for status in statuses] == [one.id for one in (*others, own)]
    assert statuses[-1].exit_code == 5


async def test_a_job_that_dayfly_did_not_make_is_left_alone(room: Room) -> None:
    own = await room.run("true")
    arn = (await room.runner._queue.details([own.id]))[own.id]["jobDefinition"]
    answer = await room.aws.call(
        "batch", "SubmitJob", jobName=f"dayfly-{'0' * 20}-{room.server.marker}",
        jobQueue=room.config.queue, jobDefinition=arn,
        containerOverrides={"command": ["sleep", "2"]},
    )  # fmt: skip
    foreign = replace(own, id=answer["jobId"])
    for act in (room.runner.cancel, room.runner.delete):
        with pytest.raises(FailedPrecondition) as refused:
            await act(foreign)
        assert refused.value.field == "handle.id"
    assert {job.status.handle.id for job in await room.runner.list_jobs()} == {own.id}
    assert (await room.ended(foreign)).state is JobState.SUCCEEDED


async def test_delete_removes_the_run_s_own_definition_only(room: Room) -> None:
    long = await room.run("sleep 1", env={"TEXT": "x" * 9000})
    with pytest.raises(FailedPrecondition):
        await room.runner.delete(long)
    short = await room.run("true")
    shared = (await room.runner._queue.details([short.id]))[short.id]["jobDefinition"]
    for handle in (long, short):
        await room.ended(handle)
        await room.runner.delete(handle)
        await room.runner.delete(handle)
    forged = replace(short, metadata={**short.metadata, "definition": shared})
    await room.runner.delete(forged)
    active = {one["jobDefinitionArn"] for one in await room.runner._definitions.active()}
    assert long.metadata["definition"] not in active
    assert shared in active


async def test_a_key_deleted_with_its_definition_has_its_job_still(room: Room) -> None:
    spec = room.spec("true", env={"TEXT": "x" * 9000})
    first = await room.submit(spec, "long")
    await room.ended(first.handle)
    await room.runner.delete(first.handle)
    again = await room.submit(spec, "long")
    assert again.adopted
    assert again.handle.id == first.handle.id


async def test_prune_takes_what_nothing_uses(make_room: Any) -> None:
    room = await make_room()
    images = [f"dayfly-test:{room.config.queue}-{name}" for name in ("used", "unused")]
    for image, command in zip(images, ("sleep 60", "true"), strict=True):
        await room.submit(room.spec("sh", "-c", command, image=image))

    async def active() -> dict[str, str]:
        found = {image: await room.definitions_of(image) for image in images}
        return {image: one["jobDefinitionArn"] for image, its in found.items() for one in its}

    # Neither image is there, so both jobs end at once.
    for job in await room.runner.list_jobs():
        await room.ended(job.status.handle)
    assert set(await active()) == set(images)
    old = await room.runner.prune(dry_run=False, older_than_seconds=3600)
    assert not {left.name for left in old} & set((await active()).values())
    dry = await room.runner.prune(dry_run=True, older_than_seconds=0)
    assert set((await active()).values()) <= {left.name for left in dry}
    assert "ended jobs" in next(left.detail for left in dry)
    arns = set((await active()).values())
    went = await room.runner.prune(dry_run=False, older_than_seconds=0)
    assert arns <= {left.name for left in went}
    assert await active() == {}


async def test_prune_leaves_what_a_job_needs_in_any_queue(make_room: Any) -> None:
    room, elsewhere = await make_room(), await make_room()
    handle = await room.run("sleep 3", user="1000")
    arn = (await room.runner._queue.details([handle.id]))[handle.id]["jobDefinition"]
    await room.running(handle)
    left = await elsewhere.runner.prune(dry_run=False, older_than_seconds=0)
    assert arn not in {item.name for item in left}
    assert arn in {one["jobDefinitionArn"] for one in await room.runner._definitions.active()}


async def _registered(room: Room, **content: Any) -> str:
    name = f"theirs-{uuid.uuid4().hex[:8]}"
    container = {
        "image": "dayfly-test:latest",
        "command": ["sh", "-c", 'echo "$WHO $HOW"; exit 4'],
        "environment": [{"name": "WHO", "value": "theirs"}, {"name": "HOW", "value": "as is"}],
        "resourceRequirements": [
            {"type": "VCPU", "value": "0.25"},
            {"type": "MEMORY", "value": "512"},
        ],
        "executionRoleArn": room.config.execution_role,
    }
    answer = await room.aws.call(
        "batch", "RegisterJobDefinition", jobDefinitionName=name, type="container",
        **(content or {"containerProperties": container, "platformCapabilities": ["FARGATE"]}),
    )  # fmt: skip
    return str(answer["jobDefinitionArn"])


def _attached(room: Room, target: str, **fields: Any) -> JobSpec:
    aimed = JobTarget(mode=TargetMode.ATTACHED_RUN, name=target)
    return JobSpec(name=room.server.marker, target=aimed, **fields)


async def test_an_attached_job_is_the_definition_s_with_overrides(room: Room) -> None:
    arn = await _registered(room)
    revision = arn.rsplit("/", maxsplit=1)[-1]
    for target in (arn, revision, revision.split(":")[0]):
        handle = (await room.submit(_attached(room, target, env={"HOW": "changed"}))).handle
        assert (await room.ended(handle)).exit_code == 4
        assert await room.output(handle) == ["theirs changed"]
        assert "definition" not in handle.metadata
        await room.runner.delete(handle)
    other = _attached(room, arn, command=("sh", "-c", "exit 9"), timeout_seconds=60)
    assert (await room.ended((await room.submit(other)).handle)).exit_code == 9
    assert arn in {one["jobDefinitionArn"] for one in await room.runner._definitions.active()}


async def test_what_is_not_asked_for_stays_the_definition_s(room: Room) -> None:
    gpu = {"type": "GPU", "value": "1"}
    container = {
        "image": "dayfly-test:latest",
        "resourceRequirements": [
            {"type": "VCPU", "value": "2"},
            {"type": "MEMORY", "value": "9"},
            gpu,
        ],
    }
    on_ec2 = await _registered(room, containerProperties=container)
    spec = _attached(room, on_ec2, resources=Resources(memory_mib=700))
    prepared = await room.runner._launcher.prepare(_submission(spec))
    assert prepared.request["containerOverrides"]["resourceRequirements"] == [
        {"type": "VCPU", "value": "2"},
        {"type": "MEMORY", "value": "700"},
        gpu,
    ]
    arn = await _registered(room)
    spec = _attached(room, arn, resources=Resources(memory_mib=2000))
    prepared = await room.runner._launcher.prepare(_submission(spec))
    assert prepared.request["containerOverrides"] == {
        "resourceRequirements": [
            {"type": "VCPU", "value": "0.25"},
            {"type": "MEMORY", "value": "2048"},
        ]
    }
    assert "rounded up" in prepared.notes[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "other:1"),
        ("user", "1000"),
        ("platform", "linux/amd64"),
        ("secrets", {"A": "arn:aws:ssm:us-east-1:123456789012:parameter/a"}),
    ],
)
async def test_what_a_definition_fixes_is_refused(room: Room, field: str, value: Any) -> None:
    spec = _attached(room, await _registered(room), **{field: value})
    with pytest.raises(InvalidField) as refused:
        await room.submit(spec)
    assert refused.value.field == field


async def test_a_target_that_cannot_be_run_is_told(room: Room) -> None:
    arn = await _registered(room)
    await room.aws.call("batch", "DeregisterJobDefinition", jobDefinition=arn)
    pods = {"podProperties": {"containers": [{"image": "a"}]}}
    on_eks = await _registered(room, eksProperties=pods)
    for target, kind in (
        ("no-such-definition", NotFound),
        ("no/such name", InvalidField),
        (arn, FailedPrecondition),
        (on_eks, InvalidField),
    ):
        with pytest.raises(kind) as refused:
            await room.submit(_attached(room, target))
        assert refused.value.field == "target.name"
    assert await room.runner.list_jobs() == []


async def test_doctor_sees_the_queue_and_what_is_behind_it(make_room: Any) -> None:
    room = await make_room()
    checks = await room.runner.check()
    assert {check.outcome for check in checks} == {CheckOutcome.PASSED}
    assert [check.name.split(" ")[0] for check in checks] == ["batch", "job", "compute"]
    on_ec2 = await (await make_room(launch_type="EC2")).runner.check()
    assert on_ec2[-1].outcome is CheckOutcome.FAILED
    assert "FARGATE" in on_ec2[-1].detail
    for changes in ({"queue": ""}, {"queue": "none"}, {"execution_role": ""}):
        checks = await (await make_room(**changes)).runner.check()
        assert CheckOutcome.FAILED in {check.outcome for check in checks}
    placed = await (await make_room(subnets=("subnet-1",))).runner.check()
    assert placed[0].outcome is CheckOutcome.WARNING
    queue = room.config.queue
    await room.aws.call("batch", "UpdateJobQueue", jobQueue=queue, state="DISABLED")
    disabled = await room.runner.check()
    assert disabled[1].outcome is CheckOutcome.FAILED
    assert "DISABLED" in disabled[1].detail


def _submission(spec: JobSpec) -> Any:
    from dayfly.contract.jobs import Submission

    return Submission(spec=spec, key=uuid.uuid4().hex)
