"""What a test may set: durations, quotas, faults and what the account contains."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket, one per region: as many calls at once, refilled at this pace."""

    burst: float
    per_second: float


#: What AWS publishes, or is believed to apply [?], for ``Knobs(rates=PUBLISHED_RATES)``.
PUBLISHED_RATES: Final[Mapping[str, Rate]] = {
    "ecs.RunTask": Rate(20, 20),
    "ecs.DescribeTasks": Rate(100, 20),
    "ecs.ListTasks": Rate(100, 20),
    "ecs.StopTask": Rate(100, 40),
    "ecs.RegisterTaskDefinition": Rate(20, 1),
    "ecs.DeregisterTaskDefinition": Rate(20, 1),
    "ecs.DescribeTaskDefinition": Rate(50, 20),
    "logs.GetLogEvents": Rate(25, 25),
    "logs.FilterLogEvents": Rate(5, 5),
    "logs.DescribeLogStreams": Rate(25, 25),
    "logs.DescribeLogGroups": Rate(10, 10),
    "logs.CreateLogGroup": Rate(10, 10),
    "logs.PutRetentionPolicy": Rate(10, 10),
}

KINDS: Final = (
    "reset_before",
    "reset_after",
    "hang",
    "throttled",
    "server_error",
    "expired",
    "bad_credentials",
    "denied",
    "no_capacity",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to go wrong, and when. Counted from the moment it is set.

    Attributes:
        kind: ``reset_before`` cuts the connection with nothing done; ``reset_after`` carries
            the call out and cuts it before the answer; ``hang`` waits ``seconds`` after the call
            was carried out; ``throttled``; ``server_error`` answers ``status`` with nothing done;
            ``expired``, ``bad_credentials`` and ``denied`` as AWS words them; ``no_capacity`` is
            for RunTask: HTTP 200 with failures that say ``message``.
        operation: ``ecs.RunTask``, ``RunTask``, ``ecs`` or ``*``.
        first: Only so many times. 0 is no limit.
        every: Each Nth matching call only. 0 and 1 are each of them.
        after: So many matching calls pass before it.
        after_seconds: So long passes before it.
        status: HTTP status of ``server_error``.
        message: What it says; empty leaves it to the kind.
        seconds: Of ``hang``.
        orderly: The connection is closed in order instead of reset. Clients tell them apart:
            aiobotocore says ConnectionClosedError of the one, and of the other, in spite of what
            may have been done, EndpointConnectionError.
    """

    kind: str
    operation: str = "*"
    first: int = 0
    every: int = 0
    after: int = 0
    after_seconds: float = 0.0
    status: int = 500
    message: str = ""
    seconds: float = 0.0
    orderly: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; allowed: {', '.join(KINDS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """All settings. A task keeps the durations that were set when it was launched.

    Attributes:
        latency_seconds: Each call takes that long at least.
        rates: Token buckets by ``ecs.RunTask``, ``RunTask``, ``ecs`` or ``*``.
        faults: What goes wrong.
        check_responses: Check our own answers against the models; off for load.
        remember_requests: How many of the last requests ``emulator.requests`` keeps.

        provisioning_seconds: PROVISIONING lasts that long,
        pending_seconds: then PENDING,
        deactivating_seconds: and after the end of RUNNING, DEACTIVATING,
        deprovisioning_seconds: and DEPROVISIONING, after STOPPING.
        default_run_seconds: How long a command runs that is no job script.
        kill_after_seconds: Replaces ``stopTimeout`` (30 s by default) of every container.
        missing_seconds: So long a new task is MISSING to DescribeTasks and not in ListTasks.
        stopped_tasks_expire_after: So long a stopped task is known. AWS: an hour at least.
        empty_containers: RunTask's answer has no ``containers``.
        client_token_seconds: So long a clientToken is remembered [?].
        client_token_remembers_failures: A launch that failed with HTTP 200 is repeated as it
            was for its token, instead of being tried again [?].
        started_by_alone: ListTasks refuses ``desiredStatus`` beside ``startedBy`` as well. The
            documentation can be read so; programs that combine them work [?].
        exit_code_at_stopped_only: ``exitCode`` appears at STOPPED, not with the container [?].
        hide_inactive_definitions: DescribeTaskDefinition does not find an INACTIVE revision that
            no task uses. Documented, and documented otherwise for DeregisterTaskDefinition [?].

        log_lag_seconds: A line is readable so long after its timestamp.
        log_reorder_seconds: Every other batch of a stream is readable so much later still.
        log_reorder_batch: Lines in such a batch.
        log_empty_page_every: Each Nth page of GetLogEvents that has lines is given empty first.
        log_streams_appear_at_start: Group and stream exist from the container's start instead
            of from the first readable line [?].
        log_token_seconds: So long a page token is good. AWS: 24 hours.
        filter_tolerates_missing_streams: FilterLogEvents skips streams that do not exist. AWS
            is seen to answer ResourceNotFoundException [?].

        account: Its number.
        caller: Who GetCallerIdentity says that the credentials are; ``{account}`` is filled in.
        access_keys: Key ids that are accepted; empty accepts any.
        clusters: ACTIVE clusters, in every region.
        inactive_clusters: Deleted ones.
        capacity_providers: What every cluster is associated with.
        subnets: That exist; all in one VPC.
        security_groups: That exist, in the same.
        roles: Names of IAM roles that exist and that ECS tasks may take.
        secrets: Names of secrets; a task that refers to another fails to start.
        parameters: Names of SSM parameters, likewise.
        regions: What DescribeRegions names.
    """

    latency_seconds: float = 0.0
    rates: Mapping[str, Rate] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    check_responses: bool = True
    remember_requests: int = 1000

    provisioning_seconds: float = 0.02
    pending_seconds: float = 0.02
    deactivating_seconds: float = 0.0
    deprovisioning_seconds: float = 0.02
    default_run_seconds: float = 0.05
    kill_after_seconds: float | None = None
    missing_seconds: float = 0.0
    stopped_tasks_expire_after: float = 3600.0
    empty_containers: bool = False
    client_token_seconds: float = 86400.0
    client_token_remembers_failures: bool = False
    started_by_alone: bool = False
    exit_code_at_stopped_only: bool = False
    hide_inactive_definitions: bool = False

    log_lag_seconds: float = 0.0
    log_reorder_seconds: float = 0.0
    log_reorder_batch: int = 10
    log_empty_page_every: int = 0
    log_streams_appear_at_start: bool = False
    log_token_seconds: float = 86400.0
    filter_tolerates_missing_streams: bool = False

    account: str = "123456789012"
    caller: str = "arn:aws:sts::{account}:assumed-role/dayfly/tests"
    access_keys: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ("default", "jobs")
    inactive_clusters: tuple[str, ...] = ()
    capacity_providers: tuple[str, ...] = ("FARGATE", "FARGATE_SPOT")
    subnets: tuple[str, ...] = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
    security_groups: tuple[str, ...] = ("sg-0123456789abcdef0",)
    roles: tuple[str, ...] = ("ecsTaskExecutionRole", "jobs")
    secrets: tuple[str, ...] = ("database",)
    parameters: tuple[str, ...] = ("/jobs/token",)
    regions: tuple[str, ...] = ("eu-central-1", "eu-west-1", "us-east-1")

    def changed(self, changes: Mapping[str, Any]) -> Knobs:
        """These settings with others, as they come from JSON or from a test.

        Raises:
            TypeError: There is no such setting.
        """
        known = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        typed = {name: _typed(name, value, known.get(name)) for name, value in changes.items()}
        return dataclasses.replace(self, **typed)

    def as_json(self) -> dict[str, Any]:
        """What ``changed`` takes."""
        return dataclasses.asdict(self)


def _typed(name: str, value: Any, present: Any) -> Any:
    if name == "rates":
        return {key: one if isinstance(one, Rate) else _rate(one) for key, one in value.items()}
    if name == "faults":
        return tuple(one if isinstance(one, Fault) else Fault(**one) for one in value)
    return tuple(value) if isinstance(present, tuple) else value


def _rate(value: Any) -> Rate:
    return Rate(**value) if isinstance(value, dict) else Rate(*value)
