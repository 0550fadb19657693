"""The smallest policies, checked against AWS's own models and the way IAM reads them."""

from __future__ import annotations

import ast
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from dayfly.providers.aws.config import Config
from dayfly.providers.aws.doctor import policy
from dayfly.providers.aws.doctor.policy import Account, execution_policy, launch_policy, policy_text

ACCOUNT = Account("aws", "eu-west-1", "123456789012")
EXECUTION = "arn:aws:iam::123456789012:role/execution"
TASK = "arn:aws:iam::123456789012:role/task"
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/token"
FULL = {
    "execution_role": EXECUTION,
    "task_role": TASK,
    "cluster": "jobs",
    "queue": "spot",
    "secrets": {"db": f"{SECRET}:password::", "again": SECRET, "token": PARAMETER},
}
#: Permissions that are no operation of an API.
ALONE = {"iam:PassRole"}


def allows(document: dict[str, Any], action: str, resource: str, **keys: str) -> bool:
    """As IAM decides it; a condition on a key that the request lacks does not hold."""
    return any(
        action in statement["Action"]
        and any(fnmatchcase(resource, one) for one in statement["Resource"])
        and all(
            keys.get(key) in ([wanted] if isinstance(wanted, str) else wanted)
            for test in statement.get("Condition", {}).values()
            for key, wanted in test.items()
        )
        for statement in document["Statement"]
    )


def actions(document: dict[str, Any]) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize("runner", ["ecs", "batch"])
def test_every_action_is_one_that_there_is(runner: str) -> None:
    config = Config(runner=runner, **FULL)
    loader, wanted = Loader(), actions(launch_policy(config, ACCOUNT))
    for action in (wanted | actions(execution_policy(config, ACCOUNT))) - ALONE:
        service, _, operation = action.partition(":")
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        assert operation in model.operation_names, action


def called(runner: str) -> set[str]:
    """Operations that the source of a runner and of the logs names, doctor's left out."""
    place = Path(policy.__file__).parents[1]
    files = [*(place / "logs").glob("*.py"), *(place / runner).glob("*.py")]
    texts = [file.read_text() for file in files if file.name not in {"checks.py", "looking.py"}]
    words = {
        node.value
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    loader, found = Loader(), set()
    for service in (runner, "logs"):
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        found |= {f"{service}:{name}" for name in words & set(model.operation_names)}
    return found


#: What is looked at where that is allowed, and done without where it is not.
SPARED = {"logs:DescribeLogGroups"}


@pytest.mark.parametrize(("runner", "other"), [("ecs", "batch"), ("batch", "ecs")])
def test_what_the_runner_calls_is_allowed_and_nothing_else(runner: str, other: str) -> None:
    allowed = actions(launch_policy(Config(runner=runner, **FULL), ACCOUNT))
    calls = called(runner)
    assert len(calls) > 8
    assert calls - SPARED == allowed - ALONE - {f"{runner}:TagResource"}
    assert not [action for action in allowed if action.startswith(f"{other}:")]


ECS = "arn:aws:ecs:eu-west-1:123456789012:"
CLUSTER = {"ecs:cluster": f"{ECS}cluster/jobs"}


@pytest.mark.parametrize(
    ("action", "resource", "keys", "allowed"),
    [
        ("ecs:RunTask", f"{ECS}task-definition/dayfly-0a1b:1", CLUSTER, True),
        ("ecs:RunTask", f"{ECS}task-definition/dayfly-run-0a1b:1", CLUSTER, True),
        ("ecs:RunTask", f"{ECS}task-definition/billing:1", CLUSTER, False),
        ("ecs:RunTask", f"{ECS}task-definition/dayfly-0a1b:1",
         {"ecs:cluster": f"{ECS}cluster/production"}, False),
        ("ecs:StopTask", f"{ECS}task/jobs/0a1b", CLUSTER, True),
        ("ecs:StopTask", f"{ECS}task/production/0a1b",
         {"ecs:cluster": f"{ECS}cluster/production"}, False),
        ("ecs:DescribeTasks", f"{ECS}task/jobs/0a1b", CLUSTER, True),
        ("ecs:ListTasks", "*", CLUSTER, True),
        ("ecs:ListTasks", "*", {}, False),
        ("ecs:TagResource", f"{ECS}task/jobs/0a1b", {"ecs:CreateAction": "RunTask"}, True),
        ("ecs:TagResource", f"{ECS}task-definition/dayfly-0a1b:1",
         {"ecs:CreateAction": "RegisterTaskDefinition"}, True),
        ("ecs:TagResource", f"{ECS}task/jobs/0a1b", {}, False),
        ("ecs:DeleteTaskDefinitions", f"{ECS}task-definition/dayfly-0a1b:1", {}, True),
        ("ecs:DeleteTaskDefinitions", f"{ECS}task-definition/billing:1", {}, False),
        ("iam:PassRole", EXECUTION, {"iam:PassedToService": "ecs-tasks.amazonaws.com"}, True),
        ("iam:PassRole", TASK, {"iam:PassedToService": "ecs-tasks.amazonaws.com"}, True),
        ("iam:PassRole", TASK, {"iam:PassedToService": "ec2.amazonaws.com"}, False),
        ("iam:PassRole", f"{TASK}-admin", {"iam:PassedToService": "ecs-tasks.amazonaws.com"},
         False),
        ("logs:GetLogEvents",
         "arn:aws:logs:eu-west-1:123456789012:log-group:/dayfly/jobs:log-stream:a", {}, True),
        ("logs:CreateLogGroup", "arn:aws:logs:eu-west-1:123456789012:log-group:/dayfly/jobs", {},
         True),
        ("logs:GetLogEvents",
         "arn:aws:logs:eu-west-1:123456789012:log-group:/audit:log-stream:a", {}, False),
    ],
)  # fmt: skip
def test_what_a_launch_on_ecs_may(
    action: str, resource: str, keys: dict[str, str], allowed: bool
) -> None:
    allowing = launch_policy(Config(**FULL), ACCOUNT)
    assert allows(allowing, action, resource, **keys) == allowed


BATCH = "arn:aws:batch:eu-west-1:123456789012:"


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("batch:SubmitJob", f"{BATCH}job-queue/spot", True),
        ("batch:SubmitJob", f"{BATCH}job-definition/dayfly-0a1b:1", True),
        ("batch:SubmitJob", f"{BATCH}job-queue/production", False),
        ("batch:SubmitJob", f"{BATCH}job-definition/billing:1", False),
        ("batch:TerminateJob", f"{BATCH}job/0a1b", True),
        ("batch:RegisterJobDefinition", f"{BATCH}job-definition/billing", False),
        ("batch:DescribeJobs", "*", True),
    ],
)
def test_what_a_launch_on_batch_may(action: str, resource: str, allowed: bool) -> None:
    allowing = launch_policy(Config(runner="batch", **FULL), ACCOUNT)
    assert allows(allowing, action, resource) == allowed


def test_a_cluster_and_a_queue_may_be_given_by_arn() -> None:
    by_arn = FULL | {"cluster": f"{ECS}cluster/jobs", "queue": f"{BATCH}job-queue/spot"}
    for runner in ("ecs", "batch"):
        named, given = Config(runner=runner, **FULL), Config(runner=runner, **by_arn)
        assert launch_policy(given, ACCOUNT) == launch_policy(named, ACCOUNT)


def test_without_roles_none_is_passed() -> None:
    assert "iam:PassRole" not in actions(launch_policy(Config(), ACCOUNT))


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("secretsmanager:GetSecretValue", SECRET, True),
        # Where the configured ARN is one without its suffix.
        ("secretsmanager:GetSecretValue", f"{SECRET}-0a1b2c", True),
        ("secretsmanager:GetSecretValue", f"{SECRET}-production-0a1b2c", False),
        ("secretsmanager:GetSecretValue", SECRET.replace("database", "billing"), False),
        ("ssm:GetParameters", PARAMETER, True),
        ("ssm:GetParameters", f"{PARAMETER}s", False),
        ("logs:PutLogEvents",
         "arn:aws:logs:eu-west-1:123456789012:log-group:/dayfly/jobs:log-stream:a", True),
        ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:123456789012:repository/app", True),
    ],
)  # fmt: skip
def test_what_the_execution_role_may(action: str, resource: str, allowed: bool) -> None:
    assert allows(execution_policy(Config(**FULL), ACCOUNT), action, resource) == allowed


def test_without_secrets_none_is_read() -> None:
    wanted = actions(execution_policy(Config(execution_role=EXECUTION), ACCOUNT))
    assert not wanted & {"secretsmanager:GetSecretValue", "ssm:GetParameters"}


def test_another_partition_and_an_account_that_is_not_known() -> None:
    account = Account("aws-cn", "cn-north-1")
    text = json.dumps(launch_policy(Config(cluster="jobs"), account))
    assert "arn:aws-cn:ecs:cn-north-1:*:cluster/jobs" in text
    assert "arn:aws:" not in text


def test_the_text_is_for_a_person_and_for_iam() -> None:
    text = policy_text(Config(**FULL), ACCOUNT)
    first, second = re.findall(r"^\{$.*?^\}$", text, re.DOTALL | re.MULTILINE)
    assert json.loads(first) == launch_policy(Config(**FULL), ACCOUNT)
    assert json.loads(second) == execution_policy(Config(**FULL), ACCOUNT)
    for document in (first, second):
        sids = [statement["Sid"] for statement in json.loads(document)["Statement"]]
        assert len(sids) == len(set(sids))
        # What IAM takes as a Sid, and as the size of a managed policy.
        assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
        assert len(re.sub(r"\s", "", document)) <= 6144
    assert f"\n{EXECUTION} needs:\n" in text
    assert "needs:" not in policy_text(Config(), ACCOUNT).partition("needs:")[2]
