"""A launch: what is sent, what is reused, what one key is, and what ECS answers."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.emulators.aws import Fault
from tests.providers.aws.ecs.conftest import job

from dayfly.contract.errors import (
    AlreadyExists,
    Conflict,
    FailedPrecondition,
    InvalidField,
    NotFound,
    Unavailable,
)
from dayfly.contract.jobs import JobTarget, Reason, Resources, TargetMode

MANAGER = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/jobs/token"
NO_SHELL = ("./migrate", "--to", "a b", "it's", "$HOME", "two\nlines", "é")


async def test_one_definition_serves_all_runs_of_the_same_content(account):
    first = await account.start(job(command=("a",), env={"N": "1"}))
    others = [job(command=("b", str(n)), env={"N": str(n)}) for n in range(8)]
    await asyncio.gather(*(account.start(spec) for spec in others))
    await account.start(job(command=("c",), resources=Resources(cpus=1, memory_mib=2048)))
    assert account.emulator.calls["ecs.RegisterTaskDefinition"] == 1
    assert account.emulator.calls["ecs.DescribeTaskDefinition"] == 1
    sent = account.requests("ecs.RunTask")
    assert len({request["taskDefinition"] for request in sent}) == 1
    assert first.metadata["runner"] == "ecs"
    assert "definition" not in first.metadata


async def test_another_process_finds_the_definition_and_registers_none(open_account, account):
    await account.start(job())
    later = await open_account({"endpoint_url": account.emulator.url})
    await later.start(job())
    assert account.emulator.calls["ecs.RegisterTaskDefinition"] == 1


async def test_argv_and_environment_go_as_they_are(account):
    await account.start(job(command=NO_SHELL, env={"A": "x = $y", "B": ""}))
    [request] = account.requests("ecs.RunTask")
    [own] = request["overrides"]["containerOverrides"]
    assert own["command"] == list(NO_SHELL)
    assert own["environment"] == [{"name": "A", "value": "x = $y"}, {"name": "B", "value": ""}]
    [definition] = account.requests("ecs.RegisterTaskDefinition")
    [container] = definition["containerDefinitions"]
    assert "entryPoint" not in container
    assert container["logConfiguration"]["options"]["mode"] == "blocking"


async def test_no_command_leaves_it_to_the_image(account):
    await account.start(job(command=()))
    [request] = account.requests("ecs.RunTask")
    assert "command" not in request["overrides"]["containerOverrides"][0]


async def test_what_cannot_be_overridden_is_in_the_definition(account):
    spec = job(
        entrypoint=("/tini", "--"), working_dir="/app", user="10:20", grace_period_seconds=90,
        platform="linux/arm64", secrets={"DB": f"{MANAGER}:password::", "TOKEN": PARAMETER},
    )  # fmt: skip
    await account.start(spec)
    [definition] = account.requests("ecs.RegisterTaskDefinition")
    [container] = definition["containerDefinitions"]
    assert container["entryPoint"] == ["/tini", "--"]
    assert (container["workingDirectory"], container["user"]) == ("/app", "10:20")
    assert container["stopTimeout"] == 90
    assert definition["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert container["secrets"] == [
        {"name": "DB", "valueFrom": f"{MANAGER}:password::"},
        {"name": "TOKEN", "valueFrom": PARAMETER},
    ]


async def test_a_size_is_rounded_up_and_said(account):
    spec = job(resources=Resources(cpus=0.3, memory_mib=3000))
    submitted = await account.submit(spec)
    [request] = account.requests("ecs.RunTask")
    assert (request["overrides"]["cpu"], request["overrides"]["memory"]) == ("512", "3072")
    assert submitted.notes == ("Fargate sizes: rounded up 0.3 vCPU to 0.5 and 3000 MiB to 3072.",)


async def test_long_input_gets_a_definition_of_its_own_which_goes_with_the_job(account):
    spec = job(command=("emulate", json.dumps({"exit_code": 4}), "x" * 9000), env={"A": "1"})
    handle = await account.start(spec, "k")
    status = await account.end(handle)
    assert status.exit_code == 4
    [definition] = account.requests("ecs.RegisterTaskDefinition")
    [container] = definition["containerDefinitions"]
    assert (container["command"], container["environment"]) == (
        list(spec.command),
        [{"name": "A", "value": "1"}],
    )
    assert handle.metadata["definition"].split("/")[-1].startswith("dayfly-run-")
    again = await account.submit(spec, "k")
    assert (again.handle, again.adopted) == (handle, True)
    await account.services.inventory.delete(handle)
    [removed] = account.requests("ecs.DeleteTaskDefinitions")
    assert removed["taskDefinitions"] == [handle.metadata["definition"]]
    await account.services.inventory.delete(handle)


async def test_longer_than_a_definition_is_refused_by_name(account):
    with pytest.raises(InvalidField) as caught:
        await account.start(job(command=("x" * 70_000,)))
    assert caught.value.field == "command"
    with pytest.raises(InvalidField) as caught:
        await account.start(job(env={"A": "x" * 70_000}))
    assert caught.value.field == "env"
    assert account.emulator.calls["ecs.RegisterTaskDefinition"] == 0


async def test_the_same_key_is_one_task_and_another_job_is_refused(account):
    spec = job(never_ends=True)
    answers = await asyncio.gather(*(account.submit(spec, "k") for _ in range(5)))
    assert len({answer.handle.id for answer in answers}) == 1
    assert len(account.emulator.tasks()) == 1
    with pytest.raises(AlreadyExists) as caught:
        await account.submit(job(never_ends=True, env={"A": "1"}), "k")
    assert caught.value.field == "key"
    assert len(account.emulator.tasks()) == 1


async def test_the_same_job_under_other_settings_is_adopted(open_account, account):
    spec = job(never_ends=True)
    handle = await account.start(spec, "k")
    elsewhere = await open_account(
        {"endpoint_url": account.emulator.url, "task_role": "arn:aws:iam::123456789012:role/jobs"}
    )
    again = await elsewhere.submit(spec, "k")
    assert (again.handle.id, again.adopted) == (handle.id, True)
    assert len(account.emulator.tasks()) == 1


async def test_a_further_launch_is_one_task_too(account):
    spec = job(never_ends=True)
    first = await account.start(spec, "k")
    second = await account.submit(spec, "k", instead_of=first.id)
    third = await account.submit(spec, "k", instead_of=first.id)
    assert first.id != second.handle.id == third.handle.id
    assert (await account.services.submitter.find("k")).id == second.handle.id


@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
async def test_a_lost_answer_starts_no_second_task(open_account, kind):
    account = await open_account(faults=(Fault(kind=kind, operation="RunTask", first=1),))
    spec = job(never_ends=True)
    with pytest.raises(Unavailable):
        await account.submit(spec, "k")
    handle = await account.start(spec, "k")
    assert len(account.emulator.tasks()) == 1
    assert (await account.services.submitter.find("k")).id == handle.id


async def test_no_capacity_may_pass(open_account):
    account = await open_account(faults=(Fault(kind="no_capacity", operation="RunTask", first=2),))
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            await account.submit(job(), "k")
        assert caught.value.reason is Reason.NO_CAPACITY
    await account.submit(job(), "k")


async def test_a_pruned_definition_is_registered_anew_at_the_next_try(account):
    await account.start(job())
    [arn] = {request["taskDefinition"] for request in account.requests("ecs.RunTask")}
    await account.session.aws.call("ecs", "DeregisterTaskDefinition", taskDefinition=arn)
    with pytest.raises(Conflict):
        await account.submit(job(), "k")
    await account.submit(job(), "k")
    assert account.emulator.calls["ecs.RegisterTaskDefinition"] == 2


@pytest.mark.parametrize(
    ("settings", "fields", "named", "kind"),
    [
        ({}, {"image": ""}, "image", InvalidField),
        ({}, {"platform": "windows/amd64"}, "platform", InvalidField),
        ({}, {"grace_period_seconds": 121}, "grace_period_seconds", InvalidField),
        ({}, {"grace_period_seconds": 1}, "grace_period_seconds", InvalidField),
        ({}, {"image": "i" * 256}, "image", InvalidField),
        ({}, {"labels": {"a": "two\nlines"}}, "labels.a", InvalidField),
        ({"launch_type": "EC2"}, {"resources": Resources(cpus=0.1)}, "resources.cpus",
         InvalidField),
        ({}, {"resources": Resources(cpus=64)}, "resources.cpus", InvalidField),
        ({}, {"resources": Resources(memory_mib=10**6)}, "resources.memory_mib", InvalidField),
        ({}, {"secrets": {"A": "hunter2"}}, "secrets.A", InvalidField),
        ({}, {"secrets": {"A": "secret://nowhere"}}, "secrets.A", NotFound),
        ({}, {"labels": {"a": "x, y"}}, "labels.a", InvalidField),
        ({}, {"labels": {"dayfly:key": "x"}}, "labels.dayfly:key", InvalidField),
        ({}, {"labels": {f"l{n}": "x" for n in range(50)}}, "labels", InvalidField),
        ({"subnets": ()}, {}, "subnets", FailedPrecondition),
        ({"execution_role": ""}, {}, "execution_role", FailedPrecondition),
        ({"cluster": "gone"}, {}, "cluster", NotFound),
        ({"subnets": ("subnet-00000000000000000",)}, {}, "subnets", InvalidField),
        ({}, {"target": JobTarget(mode=TargetMode.ATTACHED_RUN, name="no-such")}, "target.name",
         NotFound),
    ],
)  # fmt: skip
async def test_what_cannot_work_is_refused_by_name_and_starts_nothing(
    open_account, settings, fields, named, kind
):
    account = await open_account(settings)
    with pytest.raises(kind) as caught:
        await account.submit(job(**fields))
    assert caught.value.field == named
    assert "hunter2" not in str(caught.value)
    assert account.emulator.tasks() == []
    if kind is not NotFound and settings.get("subnets") in (None, ()):
        assert account.emulator.calls["ecs.RegisterTaskDefinition"] == 0


async def test_spot_and_ec2_go_where_they_are_asked_to(open_account):
    spot = await open_account({"launch_type": "FARGATE_SPOT"})
    await spot.start(job())
    [request] = spot.requests("ecs.RunTask")
    assert request["capacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE_SPOT", "weight": 1}
    ]
    assert "launchType" not in request
    shared = await open_account({"launch_type": "EC2", "subnets": (), "execution_role": ""})
    with pytest.raises(FailedPrecondition) as caught:  # The emulator has no machines.
        await shared.start(job(resources=Resources(cpus=0.2, memory_mib=300)))
    assert (caught.value.field, caught.value.reason) == ("launch_type", Reason.NO_CAPACITY)
    [request] = shared.requests("ecs.RunTask")
    assert (request["overrides"]["cpu"], request["overrides"]["memory"]) == ("205", "300")
    assert "networkConfiguration" not in request


async def test_the_network_is_as_configured(open_account):
    account = await open_account(
        {"security_groups": ("sg-0123456789abcdef0",), "assign_public_ip": True}
    )
    await account.start(job())
    [request] = account.requests("ecs.RunTask")
    assert request["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-0123456789abcdef0"],
        "securityGroups": ["sg-0123456789abcdef0"],
        "assignPublicIp": "ENABLED",
    }


async def test_a_corrected_long_command_is_what_runs(open_account, account):
    """The first try registered its definition and was refused; the key is used again."""
    wrong = await open_account(
        {"endpoint_url": account.emulator.url, "subnets": ("subnet-00000000000000000",)}
    )

    def long(code: int) -> tuple[str, ...]:
        return ("emulate", json.dumps({"exit_code": code}), "x" * 9000)

    with pytest.raises(InvalidField):
        await wrong.submit(job(command=long(4)), "k")
    handle = (await account.submit(job(command=long(0)), "k")).handle
    assert (await account.end(handle)).exit_code == 0
