"""STS and IAM: who the caller is, which roles there are, and what may be done."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.aws.regions import Region

    Operation = Callable[[Region, dict[str, Any]], dict[str, Any]]


def get_caller_identity(region: Region, _request: dict[str, Any]) -> dict[str, Any]:
    """GetCallerIdentity."""
    knobs = region.knobs
    arn = knobs.caller.format(account=knobs.account)
    return {"UserId": "AROAEMULATED:tests", "Account": knobs.account, "Arn": arn}


def assume_role(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """AssumeRole: a role that is not there may not be assumed, as AWS says it."""
    knobs = region.knobs
    arn, session = request["RoleArn"], request["RoleSessionName"]
    role = arn.rsplit("/", 1)[-1]
    if role not in knobs.roles:
        caller = knobs.caller.format(account=knobs.account)
        message = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise ApiError("AccessDenied", message, status=403)
    until = datetime.now(UTC) + timedelta(seconds=request.get("DurationSeconds", 3600))
    return {
        "Credentials": {
            "AccessKeyId": "ASIAEMULATED00000000",
            "SecretAccessKey": uuid.uuid4().hex,
            "SessionToken": uuid.uuid4().hex,
            "Expiration": _written(until),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": f"AROAEMULATED:{session}",
            "Arn": f"arn:aws:sts::{knobs.account}:assumed-role/{role}/{session}",
        },
    }


def get_role(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """GetRole."""
    name = request["RoleName"]
    if name not in region.knobs.roles:
        message = f"The role with name {name} cannot be found."
        raise ApiError("NoSuchEntity", message, status=404)
    trust = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
        '{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    )
    return {
        "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROAEMULATED00000000",
            "Arn": f"arn:aws:iam::{region.knobs.account}:role/{name}",
            "CreateDate": _written(datetime(2024, 1, 1, tzinfo=UTC)),
            "AssumeRolePolicyDocument": trust,
        }
    }


def simulate_principal_policy(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """SimulatePrincipalPolicy: what a ``denied`` fault names is not allowed."""
    denied = {fault.operation for fault in region.knobs.faults if fault.kind == "denied"}
    results = []
    for action in request["ActionNames"]:
        service, _, operation = action.partition(":")
        names = {f"{service}.{operation}", operation, service, "*"}
        decision = "implicitDeny" if names & denied else "allowed"
        results += [
            {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": decision,
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
            for resource in request.get("ResourceArns") or ["*"]
        ]
    return {"EvaluationResults": results, "IsTruncated": False}


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


STS: Final[dict[str, Operation]] = {
    "GetCallerIdentity": get_caller_identity,
    "AssumeRole": assume_role,
}
IAM: Final[dict[str, Operation]] = {
    "GetRole": get_role,
    "SimulatePrincipalPolicy": simulate_principal_policy,
}
