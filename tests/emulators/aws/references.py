"""Secrets Manager and SSM: whether what a job refers to is there. No value leaves by them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import ApiError, break_rule
from tests.emulators.aws.paging import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.aws.regions import Region

    Operation = Callable[[Region, dict[str, Any]], dict[str, Any]]

SUFFIX: Final = "-AbCdEf"
_ANY_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")


def describe_secret(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeSecret, by name, ARN, or ARN without the suffix."""
    asked = request["SecretId"].rsplit(":secret:", 1)[-1]
    for name in region.knobs.secrets:
        if name in {asked, _ANY_SUFFIX.sub("", asked)}:
            arn = region.arn("secretsmanager", f"secret:{name}{SUFFIX}")
            return {"ARN": arn, "Name": name, "VersionIdsToStages": {"1" * 32: ["AWSCURRENT"]}}
    message = "Secrets Manager can't find the specified secret."
    raise ApiError("ResourceNotFoundException", message)


def get_parameters(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """GetParameters. Values are placeholders: nothing here should want one."""
    found, invalid = [], []
    for asked in request["Names"]:
        name = _parameter(region, asked)
        if name is None:
            invalid.append(asked)
        else:
            found.append({**_described(region, name), "Value": "emulated"})
    return {"Parameters": found, "InvalidParameters": invalid}


def describe_parameters(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeParameters, all of them or by name."""
    found = sorted(region.knobs.parameters)
    for one in request.get("ParameterFilters", []):
        if one["Key"] != "Name":
            break_rule("InvalidFilterKey", f"ParameterFilters: {one['Key']!r} is not emulated")
        values = one.get("Values", [])
        if one.get("Option") == "BeginsWith":
            found = [name for name in found if name.startswith(tuple(values))]
        else:
            found = [name for name in found if name in values]
    renamed = {"nextToken": request["NextToken"]} if "NextToken" in request else {}
    names, more = page(found, renamed, request.get("MaxResults", 10))
    answer: dict[str, Any] = {"Parameters": [_described(region, name) for name in names]}
    if more:
        answer["NextToken"] = more["nextToken"]
    return answer


def _parameter(region: Region, asked: str) -> str | None:
    plain = asked.split(":parameter", 1)[-1].strip("/")
    return next((one for one in region.knobs.parameters if one.strip("/") == plain), None)


def _described(region: Region, name: str) -> dict[str, Any]:
    arn = region.arn("ssm", f"parameter/{name.strip('/')}")
    return {"Name": name, "ARN": arn, "Type": "SecureString", "Version": 1, "DataType": "text"}


SECRETSMANAGER: Final[dict[str, Operation]] = {"DescribeSecret": describe_secret}
SSM: Final[dict[str, Operation]] = {
    "GetParameters": get_parameters,
    "DescribeParameters": describe_parameters,
}
