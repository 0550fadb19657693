"""What ``[providers.NAME]`` may say for this plugin, checked as it comes in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from dayfly.contract.errors import InvalidField
from dayfly.providers.aws.secrets import check_reference
from dayfly.sdk.settings import choice, flag, number, refuse_unknown, secret_names, text, texts

RUNNERS: Final = ("ecs", "batch")
LAUNCH_TYPES: Final = ("FARGATE", "FARGATE_SPOT", "EC2")
ARCHITECTURES: Final = ("X86_64", "ARM64")
DEFAULT_LOG_GROUP: Final = "/dayfly/jobs"
#: What PutRetentionPolicy takes, in days.
#: Source: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)  # fmt: skip

#: Settings that are plain text, and what each may look like.
_SHAPES: Final[dict[str, str]] = {
    "region": r"[a-z]{2,}(-[a-z]+)+-\d+",
    "profile": r"[^\0\n]+",
    "role_arn": r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+",
    "cluster": r"[A-Za-z0-9_-]{1,255}|arn:[\w-]+:ecs:[a-z0-9-]+:\d{12}:cluster/[\w-]{1,255}",
    "execution_role": r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+",
    "task_role": r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+",
    "log_group": r"[A-Za-z0-9_/.#-]{1,512}",
    "container": r"[A-Za-z0-9_-]{1,255}",
    "queue": r"[A-Za-z0-9_-]{1,128}|arn:[\w-]+:batch:[a-z0-9-]+:\d{12}:job-queue/[\w-]{1,128}",
}
_OTHERS: Final = (
    "runner", "endpoint_url", "subnets", "security_groups", "assign_public_ip", "launch_type",
    "architecture", "log_retention_days", "log_drain_seconds", "log_settle_seconds", "prices",
    "secrets",
)  # fmt: skip
_KEYS: Final = (*_SHAPES, *_OTHERS)
_PRICES: Final = ("prices.vcpu_hour", "prices.gib_hour", "prices.currency")
#: What botocore takes as a host; of anything else it makes an error of its own.
_HOST: Final = re.compile(r"(?=.{1,255}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.(?!$)|\.?$))+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What the region charges, for the estimate of ``plan``.

    Attributes:
        vcpu_hour: For a vCPU, by the hour.
        gib_hour: For a GiB of memory, by the hour.
        currency: What both are counted in.
    """

    vcpu_hour: float
    gib_hour: float
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one configuration. Empty text leaves a thing to AWS's own configuration.

    Attributes:
        runner: ``ecs`` (RunTask) or ``batch``.
        region: Such as ``eu-west-1``.
        profile: A profile of ``~/.aws/config``.
        role_arn: A role to assume with what the profile or the environment gives.
        endpoint_url: Where all services are, instead of AWS.
        cluster: ECS cluster, by name or ARN.
        queue: Batch job queue, by name or ARN.
        subnets: Ids of the subnets that tasks join.
        security_groups: Ids; empty is the VPC's default one.
        assign_public_ip: Tasks get one.
        launch_type: FARGATE, FARGATE_SPOT or EC2.
        architecture: X86_64 or ARM64, where a job names no platform.
        execution_role: ARN of the role that pulls images, reads secrets and writes logs.
        task_role: ARN of the role that the job itself has.
        container: The job's own container, where an attached definition has several.
        log_group: CloudWatch log group of owned jobs; made when missing.
        log_retention_days: How long a group made here keeps lines.
        log_drain_seconds: How long after a job's end its output may still arrive.
        log_settle_seconds: Age at which an ingested line is taken to have all that belongs
            before it.
        prices: For the estimate of ``plan``; None gives no estimate.
        secrets: ``secret://`` names to ARNs.
    """

    runner: str = "ecs"
    region: str = ""
    profile: str = ""
    role_arn: str = ""
    endpoint_url: str = ""
    cluster: str = "default"
    queue: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool = False
    launch_type: str = "FARGATE"
    architecture: str = "X86_64"
    execution_role: str = ""
    task_role: str = ""
    container: str = ""
    log_group: str = DEFAULT_LOG_GROUP
    log_retention_days: int = 30
    log_drain_seconds: float = 10.0
    log_settle_seconds: float = 2.0
    prices: Prices | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def fargate(self) -> bool:
        """Jobs run on Fargate, spot or not."""
        return self.launch_type != "EC2"

    @property
    def drain_seconds(self) -> float:
        """How long after a job's end lines are still given.

        What arrives last must still settle, and CloudWatch's clock has whole seconds.
        """
        return self.log_drain_seconds + self.log_settle_seconds + 1


def read_config(document: Mapping[str, object]) -> Config:
    """The settings of an Initialize call.

    Raises:
        InvalidField: A key is not known, or its value is not allowed.
    """
    refuse_unknown(document, _KEYS, "aws")
    _refuse_unused(document)
    plain = {key: _shaped(document, key) for key in _SHAPES}
    return Config(
        **{key: value for key, value in plain.items() if value},
        runner=choice(document, "runner", RUNNERS),
        endpoint_url=_endpoint(document),
        subnets=_ids(document, "subnets", r"subnet-[0-9a-z]+"),
        security_groups=_ids(document, "security_groups", r"sg-[0-9a-z]+"),
        assign_public_ip=flag(document, "assign_public_ip"),
        launch_type=choice(document, "launch_type", LAUNCH_TYPES),
        architecture=choice(document, "architecture", ARCHITECTURES),
        log_retention_days=_retention(document),
        log_drain_seconds=number(document, "log_drain_seconds", 10.0, least=0, most=600),
        log_settle_seconds=number(document, "log_settle_seconds", 2.0, least=0, most=60),
        prices=_prices(document),
        secrets=_secrets(document),
    )


def _shaped(document: Mapping[str, object], key: str) -> str:
    value = text(document, key)
    if value and not re.fullmatch(_SHAPES[key], value, re.ASCII):
        raise InvalidField(f"{key} is {value!r}; allowed: {_SHAPES[key]}", field=key)
    return value


def _refuse_unused(document: Mapping[str, object]) -> None:
    """Settings that AWS has no use for with instances of one's own.

    Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking-awsvpc.html
    """
    if document.get("launch_type") != "EC2":
        return
    batch = document.get("runner") == "batch"
    why = {
        "assign_public_ip": document.get("assign_public_ip") is True
        and "jobs have no address of their own that could be public",
        "security_groups": not (batch or document.get("subnets"))
        and document.get("security_groups")
        and "without subnets jobs share the network of their instance",
        "architecture": batch and "architecture" in document and "Batch takes the instance's",
    }
    for key, words in why.items():
        if words:
            raise InvalidField(f"{key} is set with launch_type EC2: {words}", field=key)


def _endpoint(document: Mapping[str, object]) -> str:
    value = text(document, "endpoint_url")
    if "@" in value.partition("://")[2].partition("/")[0]:
        # Not shown: it has a password.
        raise InvalidField(
            "endpoint_url has a name or password in it; AWS's own settings have the credentials",
            field="endpoint_url",
        )
    if value and not _is_endpoint(value):
        raise InvalidField(
            f"endpoint_url is {value!r}; allowed: http or https, a host, and a port or path",
            field="endpoint_url",
        )
    return value


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        if ":" in host:
            return parts.scheme in {"http", "https"} and bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False
    # urlsplit drops what no URL may have, such as a line break, and says nothing.
    whole = not re.search(r"[\s\0]", url)
    return whole and parts.scheme in {"http", "https"} and bool(_HOST.fullmatch(host))


def _secrets(document: Mapping[str, object]) -> dict[str, str]:
    secrets = secret_names(document)
    for name, reference in secrets.items():
        if not name or "#" in name:
            raise InvalidField(
                f"secrets.{name}: a name has a character at least, and no '#'",
                field=f"secrets.{name}",
            )
        check_reference(reference, f"secrets.{name}")
    return secrets


def _ids(document: Mapping[str, object], key: str, shape: str) -> tuple[str, ...]:
    values = texts(document, key)
    for number_, value in enumerate(values):
        if not re.fullmatch(shape, value):
            field_ = f"{key}[{number_}]"
            raise InvalidField(f"{field_} is {value!r}; allowed: {shape}", field=field_)
    return values


def _retention(document: Mapping[str, object]) -> int:
    days = document.get("log_retention_days", 30)
    if isinstance(days, bool) or not isinstance(days, int | float) or days not in RETENTION_DAYS:
        allowed = ", ".join(map(str, RETENTION_DAYS))
        raise InvalidField(
            f"log_retention_days is {days!r}; allowed: {allowed}", field="log_retention_days"
        )
    return int(days)


def _prices(document: Mapping[str, object]) -> Prices | None:
    table = document.get("prices")
    if table is None:
        return None
    if not isinstance(table, Mapping):
        raise InvalidField("prices is no table", field="prices")
    if document.get("launch_type") == "EC2":
        raise InvalidField(
            "prices is set with launch_type EC2, where instances cost and not jobs", field="prices"
        )
    # Under their full names, so that an error has them.
    named = {f"prices.{key}": value for key, value in table.items()}
    refuse_unknown(named, _PRICES, "aws")
    vcpu, gib, currency = _PRICES
    for key in (vcpu, gib):
        if key not in named:
            raise InvalidField(f"{key} is missing", field=key)
    return Prices(
        vcpu_hour=number(named, vcpu, 0.0, least=0, most=1000),
        gib_hour=number(named, gib, 0.0, least=0, most=1000),
        currency=text(named, currency) or "USD",
    )
