"""What ``dayfly doctor`` looks at in an account; nothing is created, no secret is read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import DayflyError
from dayfly.contract.groups import together
from dayfly.contract.provider import Check, CheckOutcome
from dayfly.providers.aws.doctor.cluster import cluster_check
from dayfly.providers.aws.doctor.looking import failed, look, passed, warning
from dayfly.providers.aws.doctor.network import security_groups_check, subnets_check, way_out
from dayfly.providers.aws.doctor.policy import Account, policy_text
from dayfly.providers.aws.doctor.roles import role_check
from dayfly.providers.aws.doctor.stores import log_group_check, secret_check
from dayfly.providers.aws.regions import known_regions

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.runners import Runner


async def run_checks(aws: Aws, config: Config, runner: Runner) -> Sequence[Check]:
    """Everything that a launch depends on, looked at together; each failure is a check."""
    looks = [
        look("credentials", _credentials(aws), identity=True),
        look("region", _region(aws, config)),
        look(config.runner, runner.check()),
    ]
    roles = {"execution_role": config.execution_role, "task_role": config.task_role}
    looks += [
        look(name, role_check(aws, name, arn), mend=f"Correct {name}, or make the role.")
        for name, arn in roles.items()
        if arn
    ]
    looks.append(look("log group", log_group_check(aws, config)))
    looks += [
        look(
            f"secret {name}",
            secret_check(aws, name, reference),
            mend=f"Correct secrets.{name}, or make it.",
        )
        for name, reference in config.secrets.items()
    ]
    return await _together([*looks, look("policy", _policy(aws, config))])


async def ecs_checks(aws: Aws, config: Config) -> Sequence[Check]:
    """The cluster, and the network that tasks join: what ``EcsRunner.check`` gives."""
    looks = [look("cluster", cluster_check(aws, config))]
    if config.subnets:
        looks += [
            look("subnets", subnets_check(aws, config)),
            look("security groups", security_groups_check(aws, config)),
            look("way out", way_out(aws, config)),
        ]
    seen = await _together(looks)
    if config.fargate and not config.subnets:
        said = "none are configured, and a task on Fargate joins one"
        return [*seen, failed("subnets", said, "Set subnets in [providers.NAME].")]
    return seen


async def _together(looks: Sequence[Coroutine[Any, Any, Sequence[Check]]]) -> Sequence[Check]:
    return [check for checks in await together(looks) for check in checks]


async def _caller(aws: Aws) -> dict[str, Any]:
    return await aws.call("sts", "GetCallerIdentity", tried="asking whom AWS sees")


async def _credentials(aws: Aws) -> Check:
    caller = await _caller(aws)
    return passed("credentials", f"{caller.get('Arn')}, account {caller.get('Account')}")


async def _region(aws: Aws, config: Config) -> Check:
    region = await aws.region()
    if not config.endpoint_url and region not in known_regions(region):
        return warning(
            "region",
            f"{region} is none of those that are known",
            "Correct region, unless it is newer than the installed botocore.",
        )
    return passed("region", region)


async def _policy(aws: Aws, config: Config) -> Check:
    region, caller = "*", {}
    # The policy is worth having with the account or the region left open, too.
    with suppress(DayflyError):
        region = await aws.region()
        caller = await _caller(aws)
    number = str(caller.get("Account") or "*")
    _, partition, *_ = f"{caller.get('Arn') or 'arn:aws'}:".split(":")
    return Check(
        name="policy",
        outcome=CheckOutcome.PASSED,
        detail="the smallest one for this configuration",
        advice=policy_text(config, Account(partition, region, number)),
    )
