"""A task definition that exists is run with the overrides that ECS takes, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.ecs.conftest import ROLE, job

from dayfly.contract.errors import DataLoss, InvalidField
from dayfly.contract.jobs import JobTarget, LogQuery, Resources, TargetMode

AWSLOGS = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/theirs",
        "awslogs-region": "eu-west-1",
        "awslogs-stream-prefix": "web",
        "awslogs-create-group": "true",
    },
}


async def registered(
    account: Any, *names: str, logs: dict[str, Any] | None = AWSLOGS, **more: Any
) -> str:
    containers = [
        {"name": name, "image": "theirs:1", "essential": True, **more}
        | ({"logConfiguration": logs} if logs else {})
        for name in names
    ]
    answer = await account.session.aws.call(
        "ecs", "RegisterTaskDefinition",
        family="theirs", networkMode="awsvpc", requiresCompatibilities=["FARGATE"], cpu="256",
        memory="512", executionRoleArn=ROLE, containerDefinitions=containers,
    )  # fmt: skip
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def attached(target: str = "theirs", **fields: Any):
    mode = fields.pop("mode", TargetMode.ATTACHED_RUN)
    return job(image="", target=JobTarget(mode=mode, name=target), **fields)


async def test_it_runs_with_command_environment_and_size(account):
    arn = await registered(account, "app")
    spec = attached(
        exit_code=3, lines=["theirs"], env={"A": "1"}, resources=Resources(cpus=1, memory_mib=2000)
    )
    handle = await account.start(spec)
    status = await account.end(handle)
    assert status.exit_code == 3
    [request] = account.requests("ecs.RunTask")
    assert request["taskDefinition"] == arn
    [own] = request["overrides"]["containerOverrides"]
    assert (own["name"], own["environment"]) == ("app", [{"name": "A", "value": "1"}])
    assert (request["overrides"]["cpu"], request["overrides"]["memory"]) == ("1024", "2048")
    pages = account.services.observer.logs(handle, LogQuery())
    assert b"".join([batch.data async for batch in pages]) == b"theirs\n"
    await account.services.inventory.delete(handle)
    assert account.emulator.calls["ecs.DeregisterTaskDefinition"] == 0
    assert await account.services.inventory.prune(dry_run=True, older_than_seconds=0) == []


async def test_without_an_override_the_definition_stands(account):
    await registered(account, "app")
    await account.start(attached(command=()))
    [request] = account.requests("ecs.RunTask")
    assert request["overrides"] == {"containerOverrides": [{"name": "app"}]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "other:1"),
        ("entrypoint", ("/tini",)),
        ("secrets", {"A": "arn:aws:ssm:eu-west-1:123456789012:parameter/jobs/token"}),
        ("grace_period_seconds", 0),
        ("working_dir", "/app"),
        ("user", "1"),
        ("platform", "linux/arm64"),
    ],
)
async def test_what_ecs_cannot_override_is_refused_by_name(account, field, value):
    await registered(account, "app")
    with pytest.raises(InvalidField) as caught:
        await account.submit(
            job(
                **{"image": ""} | {field: value},
                target=JobTarget(mode=TargetMode.ATTACHED_RUN, name="theirs"),
            )
        )
    assert caught.value.field == field
    assert account.emulator.tasks() == []


async def test_a_clone_is_refused_with_the_flag_to_use(account):
    await registered(account, "app")
    with pytest.raises(InvalidField, match="ATTACHED_RUN") as caught:
        await account.submit(attached(mode=TargetMode.ATTACHED_CLONE))
    assert (caught.value.field, caught.value.advice) == ("target.mode", "Use --target-mode run.")


async def test_of_several_containers_one_is_configured_to_be_the_job(open_account, account):
    await registered(account, "proxy", "app")
    with pytest.raises(InvalidField, match="proxy, app") as caught:
        await account.submit(attached())
    assert caught.value.field == "container"
    configured = await open_account({"endpoint_url": account.emulator.url, "container": "app"})
    handle = await configured.start(attached(exit_code=6))
    assert (await configured.end(handle)).exit_code == 6
    wrong = await open_account({"endpoint_url": account.emulator.url, "container": "nobody"})
    with pytest.raises(InvalidField) as caught:
        await wrong.submit(attached())
    assert caught.value.field == "container"


async def test_what_is_too_long_to_override_has_nowhere_to_go(account):
    await registered(account, "app")
    with pytest.raises(InvalidField, match="8,192") as caught:
        await account.submit(attached(command=("x" * 9000,)))
    assert caught.value.field == "command"


async def test_output_that_goes_elsewhere_is_said_to_be_out_of_reach(account):
    await registered(account, "app", logs=None)
    handle = await account.start(attached(exit_code=0))
    await account.end(handle)
    with pytest.raises(DataLoss, match="does not go to CloudWatch Logs"):
        _ = [batch async for batch in account.services.observer.logs(handle, LogQuery())]
