"""What a test may set: durations, quotas, faults and what the account contains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from tests.emulators.fault import Fault as AnyFault
from tests.emulators.rates import Rate
from tests.emulators.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PUBLISHED_RATES", "Fault", "Knobs", "Rate"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(AnyFault):
    """What AWS adds to any fault.

    ``throttled``, ``expired``, ``bad_credentials`` and ``denied`` are as AWS words them;
    ``no_capacity`` is for RunTask: HTTP 200 with failures that say ``message``. An operation is
    ``ecs.RunTask``, ``RunTask``, ``ecs`` or ``*``. Clients tell an orderly end from a reset:
    aiobotocore says ConnectionClosedError of the one, and of the other, in spite of what may
    have been done, EndpointConnectionError.
    """

    KINDS: ClassVar = (
        *AnyFault.KINDS,
        *("throttled", "expired", "bad_credentials", "denied", "no_capacity"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs(Settings):
    """All settings. A task keeps the durations that were set when it was launched.

    Attributes:
        rates: Token buckets by ``ecs.RunTask``, ``RunTask``, ``ecs`` or ``*``.
        faults: What goes wrong.
        ahead_seconds: Of the emulator's clock: whoever sets it need not wait.
        check_responses: Check our own answers against the models; off for load.

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

    FAULT: ClassVar = Fault

    rates: Mapping[str, Rate] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    ahead_seconds: float = 0.0
    check_responses: bool = True

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
