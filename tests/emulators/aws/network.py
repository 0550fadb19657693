"""EC2: the subnets, security groups and regions that a task may be put into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.errors import ApiError, break_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.emulators.aws.regions import Region

VPC: Final = "vpc-0123456789abcdef0"


def describe_subnets(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeSubnets."""
    there = region.knobs.subnets
    found = _wanted(request, "SubnetIds", there, "InvalidSubnetID.NotFound", "subnet ID")
    subnets = [
        {
            "SubnetId": subnet,
            "SubnetArn": region.arn("ec2", f"subnet/{subnet}"),
            "State": "available",
            "VpcId": VPC,
            "CidrBlock": f"10.0.{there.index(subnet)}.0/24",
            "AvailableIpAddressCount": 251,
            "AvailabilityZone": f"{region.name}{'abc'[there.index(subnet) % 3]}",
            "DefaultForAz": False,
            "MapPublicIpOnLaunch": True,
            "OwnerId": region.knobs.account,
        }
        for subnet in found
    ]
    return {"Subnets": _filtered(request, subnets, {"vpc-id": "VpcId", "subnet-id": "SubnetId"})}


def describe_security_groups(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeSecurityGroups."""
    there = region.knobs.security_groups
    found = _wanted(request, "GroupIds", there, "InvalidGroup.NotFound", "security group")
    groups = [
        {
            "GroupId": group,
            "GroupName": f"jobs-{there.index(group)}",
            "Description": "of the emulator",
            "VpcId": VPC,
            "OwnerId": region.knobs.account,
        }
        for group in found
    ]
    return {
        "SecurityGroups": _filtered(request, groups, {"vpc-id": "VpcId", "group-id": "GroupId"})
    }


def describe_route_tables(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeRouteTables: one, the main one, with a NAT gateway as the way out."""
    table = "rtb-0123456789abcdef0"
    out = {
        "DestinationCidrBlock": "0.0.0.0/0",
        "NatGatewayId": "nat-0123456789abcdef0",
        "State": "active",
        "Origin": "CreateRoute",
    }
    main = {"Main": True, "RouteTableAssociationId": "rtbassoc-0", "RouteTableId": table}
    tables = [
        {
            "RouteTableId": table,
            "VpcId": VPC,
            "OwnerId": region.knobs.account,
            "Associations": [main],
            "Routes": [out],
        }
    ]
    return {"RouteTables": _filtered(request, tables, {"vpc-id": "VpcId"})}


def describe_regions(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """DescribeRegions."""
    there = region.knobs.regions
    found = _wanted(request, "RegionNames", there, "InvalidParameterValue", "region")
    return {
        "Regions": [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": "opt-in-not-required",
            }
            for name in found
        ]
    }


def _wanted(
    request: dict[str, Any], member: str, there: Sequence[str], code: str, kind: str
) -> list[str]:
    asked = request.get(member)
    if not asked:
        return list(there)
    missing = [one for one in asked if one not in there]
    if missing:
        raise ApiError(code, f"The {kind} '{missing[0]}' does not exist")
    return list(asked)


def _filtered(
    request: dict[str, Any], found: list[dict[str, Any]], known: dict[str, str]
) -> list[dict[str, Any]]:
    for one in request.get("Filters", []):
        member = known.get(one["Name"])
        if member is None:
            break_rule("InvalidParameterValue", f"Filters: {one['Name']!r} is not emulated")
        found = [item for item in found if item[member] in one["Values"]]
    return found


OPERATIONS: Final[dict[str, Callable[[Region, dict[str, Any]], dict[str, Any]]]] = {
    "DescribeSubnets": describe_subnets,
    "DescribeSecurityGroups": describe_security_groups,
    "DescribeRouteTables": describe_route_tables,
    "DescribeRegions": describe_regions,
}
