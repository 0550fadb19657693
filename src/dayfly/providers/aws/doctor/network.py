"""Whether tasks can join their subnets and get out of them, as ``doctor`` sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.providers.aws.doctor.looking import failed, passed, warning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.provider import Check
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config

_SUBNETS: Final = "subnets"
_GROUPS: Final = "security groups"
_WAY_OUT: Final = "way out"
_ANYWHERE: Final = frozenset({"0.0.0.0/0", "::/0"})
_ENDPOINTS: Final = "ecr.api, ecr.dkr, s3 and logs (and secretsmanager or ssm for secrets)"


async def subnets_check(aws: Aws, config: Config) -> Check:
    """The subnets are there, in one VPC, with addresses left.

    Raises:
        DayflyError: EC2 does not know one of them, or does not answer.
    """
    subnets = await _subnets(aws, config)
    vpcs = _vpcs(subnets)
    if len(vpcs) > 1:
        return failed(
            _SUBNETS,
            f"they are in several VPCs: {', '.join(vpcs)}",
            "Set subnets to those of one VPC; a task is in one.",
        )
    full = [str(row.get("SubnetId")) for row in subnets if row.get("AvailableIpAddressCount") == 0]
    if full:
        return warning(
            _SUBNETS,
            f"no address is free in {', '.join(full)}",
            "Each task takes one; add a subnet.",
        )
    zones = ", ".join(sorted({str(row.get("AvailabilityZone")) for row in subnets}))
    return passed(_SUBNETS, f"{', '.join(config.subnets)} in {', '.join(vpcs)} ({zones})")


async def security_groups_check(aws: Aws, config: Config) -> Check:
    """The security groups are there, in the VPC of the subnets.

    Raises:
        DayflyError: EC2 does not know one of them, or does not answer.
    """
    if not config.security_groups:
        return passed(_GROUPS, "none are set: the VPC's default one")
    answer = await aws.call(
        "ec2",
        "DescribeSecurityGroups",
        tried="looking at the security groups",
        GroupIds=list(config.security_groups),
    )
    groups, vpcs = answer.get("SecurityGroups") or [], _vpcs(await _subnets(aws, config))
    elsewhere = [str(row.get("GroupId")) for row in groups if str(row.get("VpcId")) not in vpcs]
    if elsewhere:
        return failed(
            _GROUPS,
            f"not in {', '.join(vpcs)}, where the subnets are: {', '.join(elsewhere)}",
            "Set security_groups to those of the subnets' VPC.",
        )
    return passed(_GROUPS, ", ".join(config.security_groups))


async def way_out(aws: Aws, config: Config) -> Check:
    """Whether a task can reach a registry from its subnets.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html

    Raises:
        DayflyError: EC2 does not answer.
    """
    vpcs = _vpcs(await _subnets(aws, config))
    answer = await aws.call(
        "ec2",
        "DescribeRouteTables",
        tried="looking at the route tables",
        Filters=[{"Name": "vpc-id", "Values": vpcs}],
    )
    tables = answer.get("RouteTables") or []
    exits = {subnet: _exit(subnet, tables) for subnet in config.subnets}
    shut = [subnet for subnet, way in exits.items() if not way]
    if shut:
        return warning(
            _WAY_OUT,
            f"no route leads out of {', '.join(shut)}",
            f"Images and logs then need VPC endpoints for {_ENDPOINTS}.",
        )
    public = [subnet for subnet, way in exits.items() if way.startswith("igw-")]
    if public and not config.assign_public_ip:
        return warning(
            _WAY_OUT,
            f"{', '.join(public)} leads out by an internet gateway, and tasks get no public IP",
            "Set assign_public_ip = true, use subnets with a NAT gateway, or make VPC endpoints "
            f"for {_ENDPOINTS}.",
        )
    return passed(_WAY_OUT, ", ".join(f"{subnet} by {way}" for subnet, way in exits.items()))


async def _subnets(aws: Aws, config: Config) -> list[dict[str, Any]]:
    answer = await aws.call(
        "ec2", "DescribeSubnets", tried="looking at the subnets", SubnetIds=list(config.subnets)
    )
    return answer.get("Subnets") or []


def _vpcs(subnets: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({str(row.get("VpcId")) for row in subnets})


def _exit(subnet: str, tables: Sequence[dict[str, Any]]) -> str:
    """What a subnet's default route leads to; empty where it has none."""
    links = [(link, table) for table in tables for link in table.get("Associations") or []]
    own = [table for link, table in links if link.get("SubnetId") == subnet]
    main = [table for link, table in links if link.get("Main")]
    for table in (own or main)[:1]:
        for route in table.get("Routes") or []:
            to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
            if to in _ANYWHERE and route.get("State") == "active":
                return _target(route)
    return ""


def _target(route: dict[str, Any]) -> str:
    kinds = ("GatewayId", "NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId",
             "VpcPeeringConnectionId", "EgressOnlyInternetGatewayId")  # fmt: skip
    return next((str(route[kind]) for kind in kinds if route.get(kind)), "another route")
