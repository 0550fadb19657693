"""Whether the roles that jobs are given can be given to them, as ``doctor`` sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dayfly.providers.aws.doctor.looking import failed, passed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.provider import Check
    from dayfly.providers.aws.client import Aws

#: Who gives a role to a container, on ECS and on Batch.
#: Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
_TRUSTED: Final = "ecs-tasks.amazonaws.com"


async def role_check(aws: Aws, setting: str, arn: str) -> Check:
    """The role is there, and tasks may have it.

    Args:
        aws: Whom to ask.
        setting: Which setting names it.
        arn: The role's ARN.

    Raises:
        NotFound: IAM has no such role.
        PermissionDenied: IAM may not be asked.
    """
    name = arn.rsplit("/", maxsplit=1)[-1]
    answer = await aws.call("iam", "GetRole", tried=f"looking at {setting}", RoleName=name)
    role = answer.get("Role") or {}
    if role.get("Arn") != arn:
        return failed(
            setting,
            f"this account's role of that name is {role.get('Arn')}, not {arn}",
            f"Set {setting} to a role of the account that jobs run in.",
        )
    if not trusts(_document(role.get("AssumeRolePolicyDocument"))):
        return failed(
            setting,
            f"{arn}: its trust policy does not name {_TRUSTED}",
            f"Allow sts:AssumeRole to the service {_TRUSTED} in the role's trust policy.",
        )
    return passed(setting, arn)


def trusts(policy: Mapping[str, Any]) -> bool:
    """A trust policy lets tasks have its role; conditions are not weighed."""
    return any(_allows(statement) for statement in _listed(policy.get("Statement")))


def _allows(statement: Any) -> bool:
    if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
        return False
    principal = statement.get("Principal")
    services = _listed(principal.get("Service")) if isinstance(principal, dict) else []
    actions = [str(action).lower() for action in _listed(statement.get("Action"))]
    return _TRUSTED in services and any(
        action in {"sts:assumerole", "sts:*", "*"} for action in actions
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _document(value: Any) -> Mapping[str, Any]:
    """A policy: botocore has it decoded already, unless what answered is not quite IAM."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
