"""What is sent to Batch, and what is refused before anything is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from dayfly.contract.errors import (
    DayflyError,
    FailedPrecondition,
    InvalidField,
    NotFound,
)
from dayfly.contract.jobs import (
    JobSpec,
    JobTarget,
    Reason,
    Resources,
    Submission,
    TargetMode,
)
from dayfly.providers.aws.batch.queue import job_name
from dayfly.providers.aws.batch.request import MAX_OVERRIDES
from dayfly.providers.aws.batch.runner import BatchRunner
from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config, Prices

ROLE: Final = "arn:aws:iam::123456789012:role/jobs"
SECRET: Final = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
SPEC: Final = JobSpec(name="report", image="busybox:1", command=("echo", "hi"))
CONFIG: Final = Config(
    runner="batch",
    region="us-east-1",
    # Nobody listens here: a plan of an owned job asks nobody.
    endpoint_url="http://127.0.0.1:9",
    queue="jobs",
    execution_role=ROLE,
    secrets={"db": SECRET},
)


async def planned(
    spec: JobSpec = SPEC, **changes: Any
) -> tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]:
    """The requests of a job: its definition's, its own, and the notes."""
    config = replace(CONFIG, **changes)
    aws = Aws(config)
    try:
        plan = await BatchRunner(aws, config).plan(Submission(spec=spec, key="k"))
    finally:
        await aws.close()
    definition, request = (json.loads(call.request) for call in plan.calls)
    return definition, request, plan.notes


async def refused(spec: JobSpec, **changes: Any) -> DayflyError:
    with pytest.raises(DayflyError) as raised:
        await planned(spec, **changes)
    return raised.value


async def test_the_whole_of_it() -> None:
    spec = replace(
        SPEC, env={"A": "1"}, secrets={"DB": "secret://db#url"}, user="65534:65533",
        timeout_seconds=90, labels={"team": "data"}, platform="linux/arm64",
        resources=Resources(cpus=0.5, memory_mib=1024),
    )  # fmt: skip
    definition, request, notes = await planned(spec, task_role=f"{ROLE}-own", assign_public_ip=True)
    assert definition["type"] == "container"
    assert definition["platformCapabilities"] == ["FARGATE"]
    assert definition["propagateTags"] is True
    assert definition["containerProperties"] == {
        "image": "busybox:1",
        "resourceRequirements": [
            {"type": "VCPU", "value": "0.25"},
            {"type": "MEMORY", "value": "512"},
        ],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/dayfly/jobs",
                "awslogs-region": "us-east-1",
                "awslogs-stream-prefix": "dayfly",
                "mode": "blocking",
            },
        },
        "networkConfiguration": {"assignPublicIp": "ENABLED"},
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": ROLE,
        "jobRoleArn": f"{ROLE}-own",
        "user": "65534:65533",
        "secrets": [{"name": "DB", "valueFrom": f"{SECRET}:url::"}],
    }
    assert request["jobName"] == job_name("k", "report")
    assert request["jobQueue"] == "jobs"
    assert request["jobDefinition"] == definition["jobDefinitionName"]
    assert request["retryStrategy"] == {"attempts": 1}
    assert request["timeout"] == {"attemptDurationSeconds": 90}
    assert request["propagateTags"] is True
    assert request["tags"]["team"] == "data"
    assert request["containerOverrides"] == {
        "command": ["echo", "hi"],
        "environment": [{"name": "A", "value": "1"}],
        "resourceRequirements": [
            {"type": "VCPU", "value": "0.5"},
            {"type": "MEMORY", "value": "1024"},
        ],
    }
    assert notes == ()


async def test_on_ec2_there_is_no_platform_and_no_network() -> None:
    definition, request, notes = await planned(
        replace(SPEC, resources=Resources(cpus=1.5)), launch_type="EC2", execution_role=""
    )
    assert definition["platformCapabilities"] == ["EC2"]
    container = definition["containerProperties"]
    assert not container.keys() & {"networkConfiguration", "runtimePlatform", "executionRoleArn"}
    wanted = request["containerOverrides"]["resourceRequirements"]
    assert wanted == [{"type": "VCPU", "value": "2"}, {"type": "MEMORY", "value": "512"}]
    assert notes == ("Batch on EC2: rounded up 1.5 vCPU to 2.",)


async def test_only_what_cannot_be_overridden_makes_another_definition() -> None:
    (first, *_), (second, *_), (third, *_) = [
        await planned(spec)
        for spec in (
            SPEC,
            replace(SPEC, command=("true",), env={"A": "1"}, resources=Resources(cpus=2)),
            replace(SPEC, user="1000"),
        )
    ]
    assert first["jobDefinitionName"] == second["jobDefinitionName"]
    assert first["jobDefinitionName"] != third["jobDefinitionName"]


async def test_sizes_are_rounded_up_and_said() -> None:
    _, request, notes = await planned(replace(SPEC, resources=Resources(cpus=0.3, memory_mib=600)))
    wanted = request["containerOverrides"]["resourceRequirements"]
    assert wanted == [{"type": "VCPU", "value": "0.5"}, {"type": "MEMORY", "value": "1024"}]
    assert "rounded up" in notes[0]
    _, _, notes = await planned(prices=Prices(vcpu_hour=0.04, gib_hour=0.004))
    assert "an hour" in notes[0]


async def test_the_command_and_env_of_a_long_run_are_in_its_own_definition() -> None:
    spec = replace(SPEC, env={"TEXT": "x" * MAX_OVERRIDES})
    definition, request, notes = await planned(spec)
    assert definition["jobDefinitionName"].startswith("dayfly-run-")
    assert definition["containerProperties"]["command"] == ["echo", "hi"]
    assert request["containerOverrides"].keys() == {"resourceRequirements"}
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"env": {"TEXT": "x" * 25_000}}, "env"),
        ({"command": ("echo", "x" * 25_000)}, "command"),
        ({"timeout_seconds": 59}, "timeout_seconds"),
        ({"image": ""}, "image"),
        ({"image": "i" * 256}, "image"),
        ({"platform": "linux/s390x"}, "platform"),
        ({"env": {"AWS_BATCH_X": "1"}}, "env.AWS_BATCH_X"),
        ({"secrets": {"AWS_BATCH_X": SECRET}}, "secrets.AWS_BATCH_X"),
        ({"env": {"EMPTY": ""}}, "env.EMPTY"),
        ({"command": ("echo", "")}, "command[1]"),
        ({"command": ("echo", "Ref::name")}, "command[1]"),
        ({"command": (), "run_command": "echo Ref::name"}, "run_command"),
        ({"secrets": {"DB": "hunter2"}}, "secrets.DB"),
        ({"labels": {"team": "a,b"}}, "labels.team"),
        ({"labels": {f"l{n}": "x" for n in range(46)}}, "labels"),
        ({"resources": Resources(cpus=17)}, "resources.cpus"),
        ({"resources": Resources(memory_mib=200_000)}, "resources.memory_mib"),
        (
            {"target": JobTarget(mode=TargetMode.ATTACHED_CLONE, name="some"), "image": ""},
            "target.mode",
        ),
    ],
)
async def test_what_batch_cannot_do_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    error = await refused(replace(SPEC, **changes))
    assert isinstance(error, InvalidField)
    assert error.field == field
    assert "hunter2" not in str(error)


async def test_a_secret_that_nobody_mapped_is_unavailable() -> None:
    error = await refused(replace(SPEC, secrets={"DB": "secret://other"}))
    assert isinstance(error, NotFound)
    assert error.reason is Reason.SECRET_UNAVAILABLE


@pytest.mark.parametrize("changes", [{"launch_type": "FARGATE"}, {"launch_type": "EC2"}])
async def test_secrets_need_an_execution_role(changes: dict[str, Any]) -> None:
    error = await refused(replace(SPEC, secrets={"DB": SECRET}), execution_role="", **changes)
    assert isinstance(error, FailedPrecondition)
    assert error.field == "execution_role"


def test_names_begin_with_the_key() -> None:
    name = job_name("k", "A nightly Report.v2")
    assert name.startswith(job_name("k", ""))
    assert name.endswith("-a-nightly-report-v2")
    assert job_name("K", "") != job_name("k", "")
    assert len(job_name("k", "x" * 300)) == 128
    assert not job_name("k", "x" * 94 + ".").endswith("-")


def test_what_is_described_is_what_is_configured() -> None:
    fargate = BatchRunner(Aws(CONFIG), CONFIG).describe()
    assert "platform" in fargate.honours
    on_ec2 = replace(CONFIG, launch_type="EC2")
    assert "platform" not in BatchRunner(Aws(on_ec2), on_ec2).describe().honours
    assert not fargate.honours & {"entrypoint", "working_dir", "network", "grace_period_seconds"}
    assert (fargate.separates_streams, fargate.statuses_per_call) == (False, 100)
    slow = replace(CONFIG, log_settle_seconds=30)
    later = BatchRunner(Aws(slow), slow).describe().log_drain_seconds - fargate.log_drain_seconds
    # What arrives last must still settle.
    assert later == 30 - CONFIG.log_settle_seconds
    assert any("SubmitJob knows no key" in text for text in fargate.side_effects)
