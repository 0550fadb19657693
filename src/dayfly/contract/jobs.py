"""A job as values: what to run, where it is, how it ended, what it printed.

All are frozen. Times are aware datetimes in UTC, sizes MiB, durations seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_SIZES: Mapping[str, int] = MappingProxyType({})


class JobKind(StrEnum):
    """When a job runs, in the wire's own words. Dayfly's own jobs are EPHEMERAL."""

    EPHEMERAL = "EPHEMERAL"
    PRE_DEPLOY = "PRE_DEPLOY"
    POST_DEPLOY = "POST_DEPLOY"
    FAILED_DEPLOY = "FAILED_DEPLOY"
    SCHEDULED = "SCHEDULED"


class TargetMode(IntEnum):
    """Whose definition a job runs from."""

    OWNED = 1
    ATTACHED_CLONE = 2
    ATTACHED_RUN = 3


class JobState(IntEnum):
    """Where a job stands. UNKNOWN: the provider has no record that says."""

    UNKNOWN = 0
    PENDING = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5


class Reason(IntEnum):
    """Why a job ended as it did, or why it does not run."""

    COMPLETED = 1
    EXITED_NONZERO = 2
    OUT_OF_MEMORY = 3
    IMAGE_UNAVAILABLE = 4
    SECRET_UNAVAILABLE = 5
    NO_CAPACITY = 6
    TIMED_OUT = 7
    CANCELLED = 8
    RECLAIMED = 9
    NEVER_STARTED = 10
    PROVIDER_ERROR = 11
    LOST = 12


class ExitCodeSource(IntEnum):
    """How an exit code is known."""

    UNKNOWN = 0
    REPORTED = 1
    INFERRED = 2
    SELF_REPORTED = 3


class Stream(IntEnum):
    """Which of a job's outputs. COMBINED: the provider does not keep them apart."""

    STDOUT = 1
    STDERR = 2
    COMBINED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a job may use; None leaves it to the provider.

    Attributes:
        cpus: Virtual CPUs.
        memory_mib: Memory in MiB; beyond it the job ends with OUT_OF_MEMORY.
        cpu_time_seconds: CPU time in all, in seconds.
    """

    cpus: float | None = None
    memory_mib: int | None = None
    cpu_time_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What a job is kept from; each default asks for nothing.

    Attributes:
        no_network: No network at all, beside its own loopback.
        read_only_root: The image's files cannot be changed.
        no_new_privileges: No program gains privileges by being executed: setuid bits and
            file capabilities are void.
        drop_capabilities: Linux capabilities without ``CAP_``; ``ALL`` is all of them.
        pids_limit: Processes and threads at the same time.
        tmpfs: Directory in memory to its size in MiB; nothing in it can be executed.
    """

    no_network: bool = False
    read_only_root: bool = False
    no_new_privileges: bool = False
    drop_capabilities: tuple[str, ...] = ()
    pids_limit: int | None = None
    tmpfs: Mapping[str, int] = field(default_factory=lambda: _NO_SIZES)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTarget:
    """Whose job it is: made for the run (owned), or run from something that exists.

    Attributes:
        mode: OWNED, ATTACHED_CLONE or ATTACHED_RUN.
        name: The existing object's name; empty when owned.
        type: The existing object's type, in the provider's words.
        provider_id: The existing object's id at the provider.
        allow_redeploy: Consent to a launch that redeploys the target.
    """

    mode: TargetMode = TargetMode.OWNED
    name: str = ""
    type: str = ""
    provider_id: str = ""
    allow_redeploy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAlert:
    """An alert rule of the wire contract."""

    rule: str
    operator: str = ""
    value: float = 0.0
    window: str = ""
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDestination:
    """Where else a provider should send a job's output."""

    name: str
    endpoint: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One job. A field that a provider cannot carry out is refused, never dropped.

    Attributes:
        name: For people; the provider's own name is made from the idempotency key.
        image: Container image; empty for a provider that runs processes.
        command: argv, passed on as it is.
        run_command: One line for ``/bin/sh -c``; excludes ``command``.
        entrypoint: Replaces the image's entry point.
        env: Plain environment. Never a secret.
        secrets: Variable name to secret reference; a value never appears here.
        resources: What the job may use.
        timeout_seconds: Wall-clock limit of the whole job; None is no limit.
        grace_period_seconds: Between TERM and KILL when the job is stopped.
        drain_seconds: How long the provider lets traffic drain (wire contract).
        working_dir: Directory the command starts in.
        user: ``user[:group]``, names or numbers.
        network: Name of the network to join.
        platform: ``os/arch[/variant]``.
        labels: For finding jobs again; kept by the provider.
        target: Whose definition it runs from.
        kind: When it runs.
        cron: Schedule of a SCHEDULED job.
        alerts: Alert rules (wire contract).
        log_destinations: Further log sinks (wire contract).
        isolation: What it is kept from.
    """

    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    run_command: str = ""
    entrypoint: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    secrets: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    resources: Resources = Resources()
    timeout_seconds: int | None = None
    grace_period_seconds: int | None = None
    drain_seconds: int | None = None
    working_dir: str = ""
    user: str = ""
    network: str = ""
    platform: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    target: JobTarget = JobTarget()
    kind: JobKind = JobKind.EPHEMERAL
    cron: str = ""
    alerts: tuple[JobAlert, ...] = ()
    log_destinations: tuple[LogDestination, ...] = ()
    isolation: Isolation = Isolation()

    @property
    def argv(self) -> tuple[str, ...]:
        """What to execute: ``command``, or ``run_command`` through ``/bin/sh -c``."""
        return ("/bin/sh", "-c", self.run_command) if self.run_command else self.command


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A job and the key under which it is launched, once.

    Attributes:
        spec: The job.
        key: Idempotency key, 1 to 128 characters; the same key is the same job.
        follow: The caller reads the output from its first byte, at once.
        instead_of: Id of this key's earlier job, which never ran for a reason that may pass
            and is launched again; empty at a first launch.
    """

    spec: JobSpec
    key: str
    follow: bool = False
    instead_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHandle:
    """All that status, logs, cancel and delete need, on any machine.

    Attributes:
        id: The provider's own id of the job.
        name: The job's name at the provider.
        provider: Name of the plugin that made it.
        metadata: The provider's own state; never a secret.
    """

    id: str
    name: str = ""
    provider: str = ""
    metadata: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """Answer to a launch.

    Attributes:
        handle: The job.
        adopted: The key had this job already; nothing was started.
        notes: What was rounded or chosen, a sentence each.
    """

    handle: JobHandle
    adopted: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a launch has come; ``done`` and ``total`` are bytes.

    Attributes:
        phase: A word or two.
        detail: Of what.
        done: Bytes so far.
        total: Bytes in all.
        handle: What the job will be, told before the request that makes it: for whoever must
            find and remove it should the answer be lost.
    """

    phase: str
    detail: str = ""
    done: int | None = None
    total: int | None = None
    handle: JobHandle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """What the provider says about a job. An exit code it does not give stays None.

    Attributes:
        handle: The job.
        state: Where it stands.
        exit_code: 0 to 255, or None where it is not known.
        exit_code_source: How ``exit_code`` is known.
        signal: Number of the signal that ended it, where that is known.
        reason: Why; None while there is nothing to explain.
        message: One line for a person.
        evidence: The provider's own words.
        may_pass: It never ran, for a reason that may pass: launched again it may run.
        created: When it was made.
        started: When it began to run.
        ended: When it ended.
    """

    handle: JobHandle
    state: JobState
    exit_code: int | None = None
    exit_code_source: ExitCodeSource = ExitCodeSource.UNKNOWN
    signal: int | None = None
    reason: Reason | None = None
    message: str = ""
    evidence: str = ""
    may_pass: bool = False
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def final(self) -> bool:
        """No later look can change it."""
        return self.reason is Reason.LOST or self.state in _FINAL


_FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """A run of bytes of one stream, as the provider had it.

    Attributes:
        stream: Which output.
        data: Bytes as the job wrote them; lines are not aligned to batches.
        cursor: Resumes after this batch.
        times: (offset in ``data``, time) pairs, ascending, where times were asked for.
        end: Nothing will ever follow.
    """

    stream: Stream
    data: bytes
    cursor: str
    times: tuple[tuple[int, datetime], ...] = ()
    end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which output of a job.

    Attributes:
        cursor: Where to go on; empty is the beginning.
        follow: Stay for what is yet to come, where the provider can.
        timestamps: Fill ``LogBatch.times``.
        tail_lines: Only the last lines of what is there now, per stream.
        since: Only what was printed at or after this time.
    """

    cursor: str = ""
    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since: datetime | None = None
