"""What RunTask refuses, beyond the models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import ApiError, break_rule

if TYPE_CHECKING:
    from tests.emulators.aws.ecs.definitions import Revision
    from tests.emulators.aws.regions import Region

MOST_TASKS: Final = 10
_STARTED_BY: Final = re.compile(r"[A-Za-z0-9/_-]{0,128}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,64}")


def check_request(region: Region, request: dict[str, Any], revision: Revision) -> None:
    """Check one request against its definition.

    Raises:
        ApiError: It breaks a rule.
    """
    count = request.get("count", 1)
    if not 1 <= count <= MOST_TASKS:
        _refuse(f"count: {count} is not between 1 and {MOST_TASKS}")
    if not _STARTED_BY.fullmatch(request.get("startedBy", "")):
        _refuse("startedBy: more than 128 characters, or not of letters, digits, / _ and -")
    if "clientToken" in request and not _TOKEN.fullmatch(request["clientToken"]):
        _refuse("clientToken: not 1 to 64 ASCII characters in the range of 33-126")
    if request.get("propagateTags") == "SERVICE":
        _refuse("propagateTags: SERVICE is not possible for RunTask")
    _check_launch_type(region, request, revision)
    _check_network(region, request, revision)


def _check_launch_type(region: Region, request: dict[str, Any], revision: Revision) -> None:
    strategy = request.get("capacityProviderStrategy", [])
    if strategy and "launchType" in request:
        _refuse(
            "Specifying both a launch type and capacity provider strategy is not supported. "
            "Remove one and try again."
        )
    providers = [one["capacityProvider"] for one in strategy]
    for provider in providers:
        if provider not in region.knobs.capacity_providers:
            raise ApiError(
                "InvalidParameterException",
                f"The specified capacity provider '{provider}' was not found.",
            )
    fargate = request.get("launchType") == "FARGATE" or any("FARGATE" in one for one in providers)
    if fargate and "FARGATE" not in revision.document["compatibilities"]:
        _refuse("Task definition does not support launch_type FARGATE.")
    if not fargate:
        # No cluster here has instances.
        raise ApiError(
            "InvalidParameterException", "No Container Instances were found in your cluster."
        )
    if "placementConstraints" in request or "placementStrategy" in request:
        _refuse("Placement constraints and strategies are not supported with FARGATE.")


def _check_network(region: Region, request: dict[str, Any], revision: Revision) -> None:
    awsvpc = revision.document.get("networkMode") == "awsvpc"
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration")
    if awsvpc and not network:
        _refuse("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    if not network:
        return
    if not awsvpc:
        _refuse(
            "Network Configuration is not valid for the given networkMode of this task definition."
        )
    if not 1 <= len(network["subnets"]) <= 16:
        _refuse(f"subnets: {len(network['subnets'])} are not 1 to 16")
    if len(network.get("securityGroups", [])) > 5:
        _refuse("securityGroups: more than 5")
    for subnet in network["subnets"]:
        if subnet not in region.knobs.subnets:
            raise ApiError(
                "InvalidParameterException",
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' "
                "does not exist (ErrorCode: InvalidSubnetID.NotFound)",
            )
    for group in network.get("securityGroups", []):
        if group not in region.knobs.security_groups:
            raise ApiError(
                "InvalidParameterException",
                f"Error retrieving security group information for [{group}]: The security group "
                f"'{group}' does not exist (ErrorCode: InvalidGroup.NotFound)",
            )


def _refuse(message: str) -> None:
    break_rule("InvalidParameterException", message)
