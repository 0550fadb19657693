"""What ``doctor`` sees of an account: each failure with what to do, none hiding another."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.aws.errors import ApiError

from dayfly.contract.provider import Check, CheckOutcome
from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.doctor.checks import ecs_checks, run_checks
from dayfly.providers.aws.doctor.looking import look, passed
from dayfly.providers.aws.doctor.roles import trusts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from .conftest import Scripted

PASSED, WARNING, FAILED = CheckOutcome.PASSED, CheckOutcome.WARNING, CheckOutcome.FAILED
EXECUTION = "arn:aws:iam::123456789012:role/service-role/execution"
TASK = "arn:aws:iam::123456789012:role/task"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:database-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/jobs/token"
SETTINGS: dict[str, Any] = {
    "region": "eu-west-1",
    "cluster": "jobs",
    "subnets": ("subnet-0a", "subnet-0b"),
    "security_groups": ("sg-0a",),
    "execution_role": EXECUTION,
    "task_role": TASK,
    "secrets": {"db": f"{SECRET}:password::", "token": PARAMETER},
}
DENIED = ApiError(
    "AccessDenied", "User: arn:aws:iam::1:user/me is not authorized to perform: iam:GetRole on x"
)


def trust(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(arn: str, trusted: str = "ecs-tasks.amazonaws.com") -> dict[str, Any]:
    return {"Role": {"Arn": arn, "AssumeRolePolicyDocument": trust(trusted)}}


def subnet(name: str, vpc: str = "vpc-1", free: int = 9) -> dict[str, Any]:
    return {
        "SubnetId": name,
        "VpcId": vpc,
        "AvailabilityZone": f"eu-west-1{name[-1]}",
        "AvailableIpAddressCount": free,
    }


def table(target: dict[str, str], *subnets: str, state: str = "active") -> dict[str, Any]:
    route = {"DestinationCidrBlock": "0.0.0.0/0", "State": state, **target}
    local = {"DestinationCidrBlock": "10.0.0.0/16", "State": "active", "GatewayId": "local"}
    links = [{"SubnetId": name} for name in subnets] or [{"Main": True}]
    return {"Associations": links, "Routes": [local, route] if target else [local]}


NAT = {"NatGatewayId": "nat-1"}
INTERNET = {"GatewayId": "igw-1"}
GOOD: dict[str, Any] = {
    "sts.GetCallerIdentity": {
        "Arn": "arn:aws:sts::123456789012:assumed-role/ci/me",
        "Account": "123456789012",
    },
    "ecs.DescribeClusters": {
        "clusters": [
            {
                "clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/jobs",
                "status": "ACTIVE",
                "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
                "registeredContainerInstancesCount": 0,
            }
        ]
    },
    "ec2.DescribeSubnets": {"Subnets": [subnet("subnet-0a"), subnet("subnet-0b")]},
    "ec2.DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": "sg-0a", "VpcId": "vpc-1"}]},
    "ec2.DescribeRouteTables": {
        "RouteTables": [table(INTERNET), table(NAT, "subnet-0a", "subnet-0b")]
    },
    "iam.GetRole": lambda call: role(EXECUTION if b"execution" in call.body else TASK),
    "logs.DescribeLogGroups": {
        "logGroups": [{"logGroupName": "/dayfly/jobs", "retentionInDays": 30}]
    },
    "secretsmanager.DescribeSecret": {"ARN": SECRET},
    "ssm.DescribeParameters": {"Parameters": [{"Name": "/jobs/token"}]},
}


class Runner:
    """A runner of which only the check matters."""

    def __init__(self, aws: Aws, config: Config) -> None:
        self._aws, self._config = aws, config

    async def check(self) -> Sequence[Check]:
        return await ecs_checks(self._aws, self._config)


@pytest.fixture
async def doctor(scripted: Scripted) -> AsyncIterator[Callable[..., Any]]:
    """Checks by name, for answers and settings that differ from the good ones."""
    made: list[Aws] = []

    async def examine(
        answers: dict[str, Any] | None = None, runner: Any = Runner, **settings: Any
    ) -> dict[str, Check]:
        scripted.answers = GOOD | (answers or {})
        config = Config(**(SETTINGS | {"endpoint_url": scripted.url} | settings))
        aws = Aws(config)
        made.append(aws)
        checks = await run_checks(aws, config, runner(aws, config))
        for check in checks:
            assert bool(check.detail)
            assert check.outcome is not FAILED or check.advice
        assert len({check.name for check in checks}) == len(checks)
        return {check.name: check for check in checks}

    yield examine
    for aws in made:
        await aws.close()


async def test_an_account_where_all_is_well(doctor: Callable[..., Any], scripted: Scripted) -> None:
    checks = await doctor()
    assert {name: check.outcome for name, check in checks.items()} == dict.fromkeys(
        ("credentials", "region", "cluster", "subnets", "security groups", "way out",
         "execution_role", "task_role", "log group", "secret db", "secret token", "policy"),
        PASSED,
    )  # fmt: skip
    details = {name: check.detail for name, check in checks.items() if name != "policy"}
    assert details == {
        "credentials": "arn:aws:sts::123456789012:assumed-role/ci/me, account 123456789012",
        "region": "eu-west-1",
        "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/jobs",
        "subnets": "subnet-0a, subnet-0b in vpc-1 (eu-west-1a, eu-west-1b)",
        "security groups": "sg-0a",
        "way out": "subnet-0a by nat-1, subnet-0b by nat-1",
        "execution_role": EXECUTION,
        "task_role": TASK,
        "log group": "/dayfly/jobs keeps lines for 30 days",
        # The secret itself, whatever part of it a job takes.
        "secret db": SECRET,
        "secret token": PARAMETER,
    }
    assert "arn:aws:ecs:eu-west-1:123456789012:cluster/jobs" in checks["policy"].advice
    assert f"\n{EXECUTION} needs:\n" in checks["policy"].advice
    # Nothing is read that is secret, and nothing is made.
    assert set(scripted.calls) == set(GOOD)


CLUSTER = GOOD["ecs.DescribeClusters"]["clusters"][0]


def cluster(**changes: Any) -> dict[str, Any]:
    return {"ecs.DescribeClusters": {"clusters": [CLUSTER | changes]}}


def subnets(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"ec2.DescribeSubnets": {"Subnets": list(rows)}}


def tables(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"ec2.DescribeRouteTables": {"RouteTables": list(rows)}}


def groups(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"logs.DescribeLogGroups": {"logGroups": list(rows)}}


@pytest.mark.parametrize(
    ("answers", "settings", "name", "outcome", "said"),
    [
        ({"ecs.DescribeClusters": {"failures": [{"reason": "MISSING"}]}}, {}, "cluster", FAILED,
         "jobs is not there in eu-west-1"),
        (cluster(status="INACTIVE"), {}, "cluster", FAILED, "jobs is INACTIVE"),
        (cluster(capacityProviders=[]), {}, "cluster", PASSED, "cluster/jobs"),
        (cluster(capacityProviders=["FARGATE"]), {"launch_type": "FARGATE_SPOT"}, "cluster",
         FAILED, "no capacity provider FARGATE_SPOT; it has FARGATE"),
        (cluster(capacityProviders=[]), {"launch_type": "FARGATE_SPOT"}, "cluster", FAILED,
         "it has none"),
        ({}, {"launch_type": "FARGATE_SPOT"}, "cluster", PASSED, "cluster/jobs"),
        ({}, {"launch_type": "EC2"}, "cluster", WARNING, "no container instance"),
        (cluster(registeredContainerInstancesCount=2), {"launch_type": "EC2"}, "cluster", PASSED,
         "cluster/jobs"),
        ({}, {"subnets": ()}, "subnets", FAILED, "none are configured"),
        ({"ec2.DescribeSubnets": ApiError("InvalidSubnetID.NotFound",
                                          "The subnet ID 'subnet-0b' does not exist")}, {},
         "subnets", FAILED, "'subnet-0b' does not exist"),
        (subnets(subnet("subnet-0a"), subnet("subnet-0b", "vpc-2")), {}, "subnets", FAILED,
         "several VPCs: vpc-1, vpc-2"),
        (subnets(subnet("subnet-0a"), subnet("subnet-0b", free=0)), {}, "subnets", WARNING,
         "no address is free in subnet-0b"),
        ({}, {"security_groups": ()}, "security groups", PASSED, "the VPC's default one"),
        ({"ec2.DescribeSecurityGroups": ApiError("InvalidGroup.NotFound",
                                                 "The security group 'sg-0a' does not exist")},
         {}, "security groups", FAILED, "'sg-0a' does not exist"),
        ({"ec2.DescribeSecurityGroups":
          {"SecurityGroups": [{"GroupId": "sg-0a", "VpcId": "vpc-9"}]}}, {}, "security groups",
         FAILED, "not in vpc-1, where the subnets are: sg-0a"),
        (tables(table(INTERNET)), {}, "way out", WARNING, "tasks get no public IP"),
        (tables(table(INTERNET)), {"assign_public_ip": True}, "way out", PASSED,
         "subnet-0a by igw-1, subnet-0b by igw-1"),
        (tables(table(NAT)), {}, "way out", PASSED, "by nat-1"),
        (tables(table({"TransitGatewayId": "tgw-1"})), {}, "way out", PASSED, "by tgw-1"),
        (tables(table({}), table(NAT, "subnet-0a")), {}, "way out", WARNING,
         "no route leads out of subnet-0b"),
        (tables(table(NAT, state="blackhole")), {}, "way out", WARNING,
         "no route leads out of subnet-0a, subnet-0b"),
        (tables(), {}, "way out", WARNING, "no route leads out"),
        ({"iam.GetRole": ApiError("NoSuchEntity", "The role with name execution cannot be found.",
                                  status=404)}, {}, "execution_role", FAILED, "cannot be found"),
        ({"iam.GetRole": DENIED}, {}, "task_role", WARNING, "could not be looked at"),
        ({"iam.GetRole": role(TASK, "ec2.amazonaws.com")}, {}, "task_role", FAILED,
         "does not name ecs-tasks.amazonaws.com"),
        ({"iam.GetRole": role(TASK.replace("123456789012", "210987654321"))}, {}, "task_role",
         FAILED, "this account's role of that name is arn:aws:iam::210987654321:role/task"),
        (groups(), {}, "log group", PASSED, "will be made, to keep lines for 30 days"),
        (groups({"logGroupName": "/dayfly/jobs-of-others", "retentionInDays": 1}),
         {"log_retention_days": 7}, "log group", PASSED, "will be made, to keep lines for 7 days"),
        (groups({"logGroupName": "/dayfly/jobs"}), {}, "log group", WARNING,
         "keeps lines for ever"),
        ({"logs.DescribeLogGroups": ApiError("AccessDeniedException", "not authorized")}, {},
         "log group", WARNING, "could not be looked at"),
        ({"secretsmanager.DescribeSecret": ApiError("ResourceNotFoundException",
                                                    "Secrets Manager can't find it")}, {},
         "secret db", FAILED, "can't find it"),
        ({"secretsmanager.DescribeSecret": {"ARN": SECRET, "DeletedDate": 1.0}}, {}, "secret db",
         FAILED, "is being deleted"),
        ({"ssm.DescribeParameters": {"Parameters": []}}, {}, "secret token", FAILED,
         "is not there"),
        ({"ec2.DescribeRouteTables": ApiError("UnknownOperationException", "no such call here")},
         {}, "way out", WARNING, "could not be looked at"),
        ({}, {"region": "eu-nowhere-9"}, "region", PASSED, "eu-nowhere-9"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_and_nothing_else_changes(
    *,
    answers: dict[str, Any],
    settings: dict[str, Any],
    name: str,
    outcome: CheckOutcome,
    said: str,
    doctor: Callable[..., Any],
) -> None:
    checks = await doctor(answers, **settings)
    assert checks[name].outcome is outcome
    assert said in checks[name].detail
    # The others that ask for something else stand as they were.
    for other in {"credentials", "region", "policy"} - {name}:
        assert checks[other].outcome is PASSED


async def test_the_log_group_is_looked_for_on_every_page(
    doctor: Callable[..., Any], scripted: Scripted
) -> None:
    def pages(call: Any) -> dict[str, Any]:
        token = call.parameters().get("nextToken")
        if token is None:
            return {"logGroups": [{"logGroupName": "/dayfly/jobs-2"}], "nextToken": "more"}
        assert token == "more"
        return {"logGroups": [{"logGroupName": "/dayfly/jobs", "retentionInDays": 5}]}

    checks = await doctor({"logs.DescribeLogGroups": pages})
    assert checks["log group"].detail == "/dayfly/jobs keeps lines for 5 days"
    assert scripted.calls["logs.DescribeLogGroups"] == 2


async def test_a_secret_is_looked_for_in_its_own_region(
    doctor: Callable[..., Any],
) -> None:
    seen = {}

    def secret(call: Any) -> dict[str, Any]:
        seen["secret"] = (call.region, call.parameters())
        return {"ARN": SECRET}

    def parameter(call: Any) -> dict[str, Any]:
        [named] = call.parameters()["ParameterFilters"]
        seen["parameter"] = (call.region, named["Values"])
        return {"Parameters": [{"Name": "/jobs/token"}]}

    await doctor({"secretsmanager.DescribeSecret": secret, "ssm.DescribeParameters": parameter})
    assert seen == {
        "secret": ("us-east-1", {"SecretId": SECRET}),
        "parameter": ("eu-west-1", ["jobs/token", "/jobs/token"]),
    }


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
async def test_credentials_that_are_none_are_said_once(
    code: str, doctor: Callable[..., Any]
) -> None:
    checks = await doctor(dict.fromkeys(GOOD, ApiError(code, "no more", status=403)))
    assert checks["credentials"].outcome is FAILED
    assert "aws sso login" in checks["credentials"].advice
    asked = set(checks) - {"credentials", "region", "policy"}
    assert {(checks[name].outcome, checks[name].detail) for name in asked} == {
        (WARNING, "was not looked at: AWS does not know who asks")
    }
    # Worth having, with the account left open.
    assert "arn:aws:ecs:eu-west-1:*:cluster/jobs" in checks["policy"].advice


async def test_whose_call_of_sts_is_denied_has_failed(doctor: Callable[..., Any]) -> None:
    checks = await doctor({"sts.GetCallerIdentity": DENIED})
    assert checks["credentials"].outcome is FAILED
    assert checks["cluster"].outcome is PASSED


async def test_without_a_region_each_says_so(
    doctor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = await doctor(region="")
    assert checks["region"].outcome is FAILED
    assert "region" in checks["region"].advice
    assert "arn:aws:ecs:*:*:cluster/jobs" in checks["policy"].advice


async def test_a_region_that_nobody_knows(make_aws: Callable[..., Aws]) -> None:
    from dayfly.providers.aws.doctor.checks import _region

    config = Config(region="eu-nowhere-9")
    check = await _region(make_aws(region="eu-nowhere-9"), config)
    assert check.outcome is WARNING
    assert (await _region(make_aws(), Config())).outcome is PASSED


async def test_a_look_that_breaks_hides_no_other(doctor: Callable[..., Any]) -> None:
    class Broken(Runner):
        async def check(self) -> Sequence[Check]:
            raise ZeroDivisionError("by zero")

    checks = await doctor(runner=Broken)
    assert checks["ecs"].outcome is FAILED
    assert "ZeroDivisionError: by zero" in checks["ecs"].detail
    assert checks["log group"].outcome is PASSED


async def test_the_looks_are_taken_together(doctor: Callable[..., Any]) -> None:
    asked = asyncio.Event()

    def last(_call: Any) -> dict[str, Any]:
        asked.set()
        return {"Parameters": [{"Name": "/jobs/token"}]}

    class Patient(Runner):
        async def check(self) -> Sequence[Check]:
            # One after another, the look at the parameter would come after this one.
            async with asyncio.timeout(10):
                await asked.wait()
            return [passed("patience", "seen")]

    checks = await doctor({"ssm.DescribeParameters": last}, runner=Patient)
    assert checks["patience"].outcome is PASSED


async def test_what_may_pass_is_to_be_tried_again(doctor: Callable[..., Any]) -> None:
    checks = await doctor({"ecs.DescribeClusters": ApiError("ThrottlingException", "too many")})
    assert checks["cluster"].outcome is FAILED
    assert checks["cluster"].advice == "Try again in a moment."


@pytest.mark.parametrize(
    ("statement", "trusted"),
    [
        ({"Principal": {"Service": "ecs-tasks.amazonaws.com"}}, True),
        ({"Principal": {"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": ["sts:*"]}, True),
        ({"Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:TagSession"}, False),
        ({"Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Effect": "Deny"}, False),
        ({"Principal": {"Service": "ecs.amazonaws.com"}}, False),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, False),
        ({"Principal": "*"}, False),
        ({}, False),
    ],
)
def test_whom_a_trust_policy_trusts(statement: dict[str, Any], trusted: bool) -> None:
    whole = {"Effect": "Allow", "Action": "sts:AssumeRole"} | statement
    assert trusts({"Statement": whole}) is trusted
    assert trusts({"Statement": [{"Effect": "Deny"}, whole]}) is trusted


@pytest.mark.parametrize("policy", [{}, {"Statement": []}, {"Statement": "x"}, {"Statement": [1]}])
def test_a_trust_policy_that_says_nothing(policy: dict[str, Any]) -> None:
    assert not trusts(policy)


async def test_a_missing_package_is_told_once_and_not_by_each_look() -> None:
    async def missing() -> Check:
        raise ModuleNotFoundError("No module named 'botocore'", name="botocore")

    with pytest.raises(ModuleNotFoundError):
        await look("cluster", missing())
