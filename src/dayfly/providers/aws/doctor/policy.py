"""The smallest IAM policies that a configuration needs.

Source of what each action may be narrowed to: docs.aws.amazon.com/service-authorization/latest/
reference (Amazon ECS, AWS Batch, Amazon CloudWatch Logs). [?] Whether registering, deregistering
and describing task definitions can be narrowed differs between its editions, so they are not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from dayfly.providers.aws.secrets import is_parameter, secret_arn

if TYPE_CHECKING:
    from dayfly.providers.aws.config import Config


class Account(NamedTuple):
    """Where the ARNs of a policy are; ``*`` stands for what is not known."""

    partition: str = "aws"
    region: str = "*"
    number: str = "*"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.number}:{resource}"


def policy_text(config: Config, account: Account) -> str:
    """Both policies as a person reads and copies them."""
    text = f"Whoever launches needs:\n{_json(launch_policy(config, account))}"
    role = config.execution_role
    if role:
        text += f"\n{role} needs:\n{_json(execution_policy(config, account))}"
    return text


def launch_policy(config: Config, account: Account) -> dict[str, Any]:
    """What dayfly itself calls: owned jobs only, each attached target needs its own ARN."""
    own = _ecs(config, account) if config.runner == "ecs" else _batch(config, account)
    return _document(*own, *_pass_roles(config), _read_logs(config, account))


def execution_policy(config: Config, account: Account) -> dict[str, Any]:
    """What AWS does for a job in the execution role's name, before and beside the job.

    A secret or image under a key of one's own in KMS needs ``kms:Decrypt`` on that key, too.
    """
    group = account.arn("logs", f"log-group:{config.log_group}")
    statements = [
        _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group}:*"]),
        _allow(
            "PullFromEcr",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage",
             "ecr:GetDownloadUrlForLayer"],
            [account.arn("ecr", "repository/*")],
        ),
        _allow("LogInToEcr", ["ecr:GetAuthorizationToken"], ["*"]),
    ]  # fmt: skip
    references = sorted(set(config.secrets.values()))
    managed = [_with_suffix(item) for item in references if not is_parameter(item)]
    parameters = [item for item in references if is_parameter(item)]
    if managed:
        wanted = [arn for pair in managed for arn in pair]
        statements.append(_allow("ReadSecrets", ["secretsmanager:GetSecretValue"], wanted))
    if parameters:
        statements.append(_allow("ReadParameters", ["ssm:GetParameters"], parameters))
    return _document(*statements)


def _ecs(config: Config, account: Account) -> list[dict[str, Any]]:
    name = config.cluster.rsplit("/", maxsplit=1)[-1]
    cluster = account.arn("ecs", f"cluster/{name}")
    within = {"ArnEquals": {"ecs:cluster": cluster}}
    definitions = account.arn("ecs", "task-definition/dayfly-*:*")
    tasks = account.arn("ecs", f"task/{name}/*")
    return [
        _allow("RunTasks", ["ecs:RunTask"], [definitions], within),
        _allow("StopAndSeeTasks", ["ecs:DescribeTasks", "ecs:StopTask"], [tasks], within),
        _allow("ListTasks", ["ecs:ListTasks"], ["*"], within),
        _allow(
            "TagWhatIsMade",
            ["ecs:TagResource"],
            [tasks, definitions],
            {"StringEquals": {"ecs:CreateAction": ["RunTask", "RegisterTaskDefinition"]}},
        ),
        _allow("DeleteDefinitions", ["ecs:DeleteTaskDefinitions"], [definitions]),
        _allow(
            "KeepDefinitions",
            ["ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition",
             "ecs:ListTaskDefinitionFamilies", "ecs:ListTaskDefinitions",
             "ecs:RegisterTaskDefinition"],
            ["*"],
        ),
    ]  # fmt: skip


def _batch(config: Config, account: Account) -> list[dict[str, Any]]:
    name = config.queue.rsplit("/", maxsplit=1)[-1] or "*"
    queue = account.arn("batch", f"job-queue/{name}")
    definitions = account.arn("batch", "job-definition/dayfly-*")
    jobs = account.arn("batch", "job/*")
    return [
        _allow("SubmitJobs", ["batch:SubmitJob"], [definitions, queue]),
        _allow("StopJobs", ["batch:TerminateJob"], [jobs]),
        _allow("TagWhatIsMade", ["batch:TagResource"], [jobs, definitions]),
        _allow(
            "KeepDefinitions",
            ["batch:DeregisterJobDefinition", "batch:RegisterJobDefinition"],
            [definitions],
        ),
        _allow(
            "SeeJobs",
            ["batch:DescribeJobDefinitions", "batch:DescribeJobQueues", "batch:DescribeJobs",
             "batch:ListJobs"],
            ["*"],
        ),
    ]  # fmt: skip


def _pass_roles(config: Config) -> list[dict[str, Any]]:
    roles = sorted({role for role in (config.execution_role, config.task_role) if role})
    if not roles:
        return []
    # Batch hands a job's roles to ECS tasks as well.
    to = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    return [_allow("GiveRoles", ["iam:PassRole"], roles, to)]


def _read_logs(config: Config, account: Account) -> dict[str, Any]:
    group = account.arn("logs", f"log-group:{config.log_group}")
    actions = ["logs:CreateLogGroup", "logs:FilterLogEvents", "logs:GetLogEvents",
               "logs:PutRetentionPolicy"]  # fmt: skip
    if config.runner == "ecs":
        # Whether there is output of a task that ECS has forgotten.
        actions.append("logs:DescribeLogStreams")
    return _allow("ReadLogs", sorted(actions), [group, f"{group}:*"])


def _with_suffix(reference: str) -> tuple[str, str]:
    """An ARN of a secret, with and without the six characters that AWS ends it with."""
    arn = secret_arn(reference)
    return arn, f"{arn}-??????"


def _allow(
    sid: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None
) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2)
