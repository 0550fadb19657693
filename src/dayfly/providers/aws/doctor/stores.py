"""Whether the log group and the configured secrets are there, as ``doctor`` sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.providers.aws.doctor.looking import failed, passed, warning
from dayfly.providers.aws.secrets import is_parameter, secret_arn

if TYPE_CHECKING:
    from dayfly.contract.provider import Check
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config

_LOG_GROUP: Final = "log group"


async def log_group_check(aws: Aws, config: Config) -> Check:
    """How long the group keeps lines, or that it will be made.

    Raises:
        DayflyError: CloudWatch Logs does not answer.
    """
    name = config.log_group
    group = await _find_group(aws, name)
    if group is None:
        days = config.log_retention_days
        return passed(_LOG_GROUP, f"{name} will be made, to keep lines for {days} days")
    kept = group.get("retentionInDays")
    if not kept:
        return warning(
            _LOG_GROUP,
            f"{name} keeps lines for ever",
            "Give it a retention: `aws logs put-retention-policy`.",
        )
    return passed(_LOG_GROUP, f"{name} keeps lines for {kept} days")


async def secret_check(aws: Aws, name: str, reference: str) -> Check:
    """A configured secret is there; its value is not asked for.

    Args:
        aws: Whom to ask.
        name: Its portable name.
        reference: Its ARN, in whose region it is looked for.

    Raises:
        NotFound: Secrets Manager has no such secret.
        DayflyError: It may not be looked at, or nobody answers.
    """
    there = _parameter_is_there if is_parameter(reference) else _secret_is_there
    wrong = await there(aws, reference, f"looking whether secrets.{name} exists")
    arn = secret_arn(reference)
    if wrong:
        return failed(f"secret {name}", f"{arn} {wrong}", f"Correct secrets.{name}, or make it.")
    return passed(f"secret {name}", arn)


async def _find_group(aws: Aws, name: str) -> dict[str, Any] | None:
    token: dict[str, str] = {}
    while True:
        answer = await aws.call(
            "logs",
            "DescribeLogGroups",
            tried="looking at the log group",
            logGroupNamePrefix=name,
            **token,
        )
        for group in answer.get("logGroups") or []:
            if group.get("logGroupName") == name:
                return dict(group)
        if not answer.get("nextToken"):
            return None
        token = {"nextToken": str(answer["nextToken"])}


async def _secret_is_there(aws: Aws, reference: str, tried: str) -> str:
    answer = await aws.call(
        "secretsmanager",
        "DescribeSecret",
        region=_region_of(reference),
        tried=tried,
        SecretId=secret_arn(reference),
    )
    return "is being deleted" if answer.get("DeletedDate") else ""


async def _parameter_is_there(aws: Aws, reference: str, tried: str) -> str:
    # One ARN stands for both: a name in a hierarchy begins with a slash, a plain one does not.
    name = reference.partition(":parameter/")[2]
    wanted = {"Key": "Name", "Option": "Equals", "Values": [name, f"/{name}"]}
    answer = await aws.call(
        "ssm",
        "DescribeParameters",
        region=_region_of(reference),
        tried=tried,
        ParameterFilters=[wanted],
    )
    return "" if answer.get("Parameters") else "is not there"


def _region_of(arn: str) -> str:
    return arn.split(":")[3]
