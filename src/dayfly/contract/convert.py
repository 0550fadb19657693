"""Where the wire's messages and our dataclasses meet: the only place."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import (
    ExitCodeSource,
    Isolation,
    JobAlert,
    JobHandle,
    JobKind,
    JobSpec,
    JobState,
    JobStatus,
    JobTarget,
    LogBatch,
    LogDestination,
    LogQuery,
    Progress,
    Reason,
    Resources,
    Stream,
    Submission,
    Submitted,
    TargetMode,
)
from dayfly.contract.provider import (
    Check,
    CheckOutcome,
    Description,
    JobPlan,
    Leftover,
    ListedJob,
    PlannedCall,
)
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import iac_pb2 as iac

E = TypeVar("E", bound=IntEnum)

MAX_HANDLE_BYTES = 64 * 1024
_MAX_WORDS = 64 * 1024


def handle_to_wire(handle: JobHandle) -> iac.JobHandle:
    return iac.JobHandle(
        id=handle.id, name=handle.name, provider=handle.provider, metadata=handle.metadata
    )


def handle_from_wire(wire: iac.JobHandle) -> JobHandle:
    """A handle as it came from the other side, which may be anybody's.

    Raises:
        InvalidField: It has no id, or is larger than a handle may be.
    """
    if not wire.id:
        raise InvalidField("the handle has no id", field="handle.id")
    if wire.ByteSize() > MAX_HANDLE_BYTES:
        raise InvalidField(
            f"the handle is {wire.ByteSize()} bytes; allowed are {MAX_HANDLE_BYTES}", field="handle"
        )
    return JobHandle(
        id=wire.id, name=wire.name, provider=wire.provider, metadata=dict(wire.metadata)
    )


def spec_to_wire(spec: JobSpec) -> iac.JobSpec:
    """The fields that the classic message has; the others travel beside it."""
    wire = iac.JobSpec(
        name=spec.name,
        kind=spec.kind.value,
        image=spec.image,
        run_command=spec.run_command,
        env_vars=spec.env,
        env_vars_secret=spec.secrets,
        cron=spec.cron,
        alerts=[
            iac.JobAlertSpec(
                rule=a.rule,
                operator=a.operator,
                value=a.value,
                window=a.window,
                disabled=a.disabled,
            )
            for a in spec.alerts
        ],
        log_destinations=[
            iac.JobLogDestinationSpec(
                name=d.name, endpoint=d.endpoint, headers=d.headers, tls=d.tls
            )
            for d in spec.log_destinations
        ],
        timeout_seconds=spec.timeout_seconds or 0,
    )
    if spec.grace_period_seconds is not None or spec.drain_seconds is not None:
        wire.termination.grace_period_seconds = spec.grace_period_seconds or 0
        wire.termination.drain_seconds = spec.drain_seconds or 0
    target = spec.target
    if target.name or target.type or target.provider_id:
        wire.target.name = target.name
        wire.target.type = target.type
        wire.target.provider_id = target.provider_id
    return wire


def submission_to_wire(submission: Submission) -> v1.Submission:
    spec = submission.spec
    return v1.Submission(
        spec=spec_to_wire(spec),
        idempotency_key=submission.key,
        command=spec.command,
        entrypoint=spec.entrypoint,
        resources=v1.Resources(
            cpus=spec.resources.cpus,
            memory_mib=spec.resources.memory_mib,
            cpu_time_seconds=spec.resources.cpu_time_seconds,
        ),
        labels=spec.labels,
        target_mode=v1.TargetMode.ValueType(spec.target.mode.value),
        allow_redeploy=spec.target.allow_redeploy,
        working_dir=spec.working_dir,
        user=spec.user,
        network=spec.network,
        platform=spec.platform,
        follow=submission.follow,
        grace_period_seconds=spec.grace_period_seconds,
        drain_seconds=spec.drain_seconds,
        instead_of=submission.instead_of,
        isolation=_isolation_to_wire(spec.isolation),
    )


def _isolation_to_wire(isolation: Isolation) -> v1.Isolation | None:
    if isolation == Isolation():
        return None
    return v1.Isolation(
        no_network=isolation.no_network,
        read_only_root=isolation.read_only_root,
        no_new_privileges=isolation.no_new_privileges,
        drop_capabilities=isolation.drop_capabilities,
        pids_limit=isolation.pids_limit,
        tmpfs=isolation.tmpfs,
    )


def _isolation_from_wire(wire: v1.Isolation) -> Isolation:
    return Isolation(
        no_network=wire.no_network,
        read_only_root=wire.read_only_root,
        no_new_privileges=wire.no_new_privileges,
        drop_capabilities=tuple(wire.drop_capabilities),
        pids_limit=wire.pids_limit if wire.HasField("pids_limit") else None,
        tmpfs=dict(wire.tmpfs),
    )


def spec_from_wire(wire: iac.JobSpec) -> JobSpec:
    """A classic job.

    Raises:
        InvalidField: ``kind`` is not one of the contract's.
    """
    return _spec(wire, v1.Submission(spec=wire))


def submission_from_wire(wire: v1.Submission) -> Submission:
    """A submission; its fields are checked by ``validate``, not here.

    Raises:
        InvalidField: An enum holds a value that this version does not know.
    """
    return Submission(
        spec=_spec(wire.spec, wire),
        key=wire.idempotency_key,
        follow=wire.follow,
        instead_of=wire.instead_of,
    )


def _spec(wire: iac.JobSpec, beside: v1.Submission) -> JobSpec:
    stop, resources, target = wire.termination, beside.resources, wire.target
    return JobSpec(
        name=wire.name,
        image=wire.image,
        command=tuple(beside.command),
        run_command=wire.run_command,
        entrypoint=tuple(beside.entrypoint),
        env=dict(wire.env_vars),
        secrets=dict(wire.env_vars_secret),
        resources=Resources(
            cpus=resources.cpus if resources.HasField("cpus") else None,
            memory_mib=resources.memory_mib if resources.HasField("memory_mib") else None,
            cpu_time_seconds=(
                resources.cpu_time_seconds if resources.HasField("cpu_time_seconds") else None
            ),
        ),
        timeout_seconds=wire.timeout_seconds or None,
        grace_period_seconds=(
            beside.grace_period_seconds
            if beside.HasField("grace_period_seconds")
            else stop.grace_period_seconds or None
        ),
        drain_seconds=(
            beside.drain_seconds if beside.HasField("drain_seconds") else stop.drain_seconds or None
        ),
        working_dir=beside.working_dir,
        user=beside.user,
        network=beside.network,
        platform=beside.platform,
        labels=dict(beside.labels),
        target=JobTarget(
            mode=_target_mode(beside.target_mode),
            name=target.name,
            type=target.type,
            provider_id=target.provider_id,
            allow_redeploy=beside.allow_redeploy,
        ),
        kind=_kind(wire.kind),
        cron=wire.cron,
        alerts=tuple(
            JobAlert(
                rule=a.rule,
                operator=a.operator,
                value=a.value,
                window=a.window,
                disabled=a.disabled,
            )
            for a in wire.alerts
        ),
        log_destinations=tuple(
            LogDestination(name=d.name, endpoint=d.endpoint, headers=dict(d.headers), tls=d.tls)
            for d in wire.log_destinations
        ),
        isolation=_isolation_from_wire(beside.isolation),
    )


def _kind(name: str) -> JobKind:
    try:
        return JobKind(name or JobKind.EPHEMERAL)
    except ValueError:
        allowed = ", ".join(JobKind)
        raise InvalidField(f"kind is {name!r}; allowed: {allowed}", field="kind") from None


def _target_mode(value: int) -> TargetMode:
    if value == 0:
        return TargetMode.OWNED
    try:
        return TargetMode(value)
    except ValueError:
        raise InvalidField(
            f"target.mode is {value}; allowed: 1, 2, 3", field="target.mode"
        ) from None


def submitted_to_wire(submitted: Submitted) -> v1.SubmitEvent:
    return v1.SubmitEvent(
        submitted=v1.Submitted(
            handle=handle_to_wire(submitted.handle),
            adopted=submitted.adopted,
            notes=submitted.notes,
        )
    )


def submitted_from_wire(wire: v1.Submitted) -> Submitted:
    return Submitted(
        handle=handle_from_wire(wire.handle), adopted=wire.adopted, notes=tuple(wire.notes)
    )


def progress_to_wire(progress: Progress) -> v1.SubmitEvent:
    return v1.SubmitEvent(
        progress=v1.Progress(
            phase=progress.phase,
            detail=progress.detail,
            done=progress.done,
            total=progress.total,
            handle=handle_to_wire(progress.handle) if progress.handle else None,
        )
    )


def progress_from_wire(wire: v1.Progress) -> Progress:
    return Progress(
        phase=wire.phase,
        detail=wire.detail,
        done=wire.done if wire.HasField("done") else None,
        total=wire.total if wire.HasField("total") else None,
        handle=handle_from_wire(wire.handle) if wire.HasField("handle") else None,
    )


def status_to_wire(status: JobStatus) -> v1.JobObservation:
    return v1.JobObservation(
        handle=handle_to_wire(status.handle),
        state=iac.JobState.ValueType(status.state.value),
        exit_code=status.exit_code,
        exit_code_source=v1.ExitCodeSource.ValueType(status.exit_code_source.value),
        signal=status.signal,
        reason=reason_to_wire(status.reason),
        message=status.message,
        evidence=status.evidence,
        may_pass=status.may_pass,
        created=_stamp(status.created),
        started=_stamp(status.started),
        ended=_stamp(status.ended),
    )


def status_from_wire(wire: v1.JobObservation) -> JobStatus:
    """An observation. What this version does not know becomes unknown, never a guess."""
    code = _exit_code(wire.exit_code) if wire.HasField("exit_code") else None
    source = _known(ExitCodeSource, wire.exit_code_source, ExitCodeSource.UNKNOWN)
    return JobStatus(
        handle=handle_from_wire(wire.handle),
        state=_known(JobState, wire.state, JobState.UNKNOWN),
        exit_code=code,
        exit_code_source=ExitCodeSource.UNKNOWN if code is None else source,
        signal=wire.signal if wire.HasField("signal") else None,
        reason=reason_from_wire(wire.reason),
        message=_words(wire.message),
        evidence=_words(wire.evidence),
        may_pass=wire.may_pass,
        created=_time(wire.created) if wire.HasField("created") else None,
        started=_time(wire.started) if wire.HasField("started") else None,
        ended=_time(wire.ended) if wire.HasField("ended") else None,
    )


def classic_status_to_wire(status: JobStatus) -> iac.JobStatusReply:
    """For a Go host, whose message has no room for an unknown exit code.

    A job that failed without a code says 1 there, as the Go host itself would, and the
    message says that the code is not known.
    """
    message, code = status.message, status.exit_code
    if code is None:
        failed = status.final and status.state is not JobState.SUCCEEDED
        code = 1 if failed else 0
        message = f"{message} (exit code not known)".lstrip() if status.final else message
    state = status.state
    if status.reason is Reason.LOST:
        state = JobState.FAILED
    return iac.JobStatusReply(
        handle=handle_to_wire(status.handle),
        state=iac.JobState.ValueType(state.value),
        exit_code=code,
        message=message,
    )


def classic_status_from_wire(wire: iac.JobStatusReply, handle: JobHandle) -> JobStatus:
    """From a classic plugin, whose code counts only once the job has ended by itself."""
    state = _known(JobState, wire.state, JobState.UNKNOWN)
    ended = state in {JobState.SUCCEEDED, JobState.FAILED}
    reason = {
        JobState.SUCCEEDED: Reason.COMPLETED,
        JobState.CANCELLED: Reason.CANCELLED,
        JobState.FAILED: Reason.EXITED_NONZERO if wire.exit_code else Reason.PROVIDER_ERROR,
    }.get(state)
    # A failed job with code 0 did not say how it ended: 0 is the wire's "not given".
    told = ended and (state is JobState.SUCCEEDED or wire.exit_code != 0)
    code = _exit_code(wire.exit_code) if told else None
    return JobStatus(
        handle=handle,
        state=state,
        exit_code=code,
        exit_code_source=ExitCodeSource.UNKNOWN if code is None else ExitCodeSource.REPORTED,
        reason=reason,
        message=_words(wire.message),
    )


def reason_to_wire(reason: Reason | None) -> v1.Reason.ValueType:
    return v1.Reason.ValueType(reason.value if reason else 0)


def reason_from_wire(value: int) -> Reason | None:
    try:
        return Reason(value) if value else None
    except ValueError:
        return Reason.PROVIDER_ERROR


def query_to_wire(handle: JobHandle, query: LogQuery) -> v1.LogsRequest:
    return v1.LogsRequest(
        handle=handle_to_wire(handle),
        cursor=query.cursor,
        follow=query.follow,
        timestamps=query.timestamps,
        tail_lines=query.tail_lines,
        since=_stamp(query.since),
    )


def query_from_wire(wire: v1.LogsRequest) -> LogQuery:
    """Which output is asked for.

    Raises:
        InvalidField: ``tail_lines`` is negative, ``since`` is no time, or the cursor too
            long to be one.
    """
    if len(wire.cursor) > MAX_HANDLE_BYTES:
        raise InvalidField("the cursor is too long to be one", field="cursor")
    if wire.tail_lines < 0:
        raise InvalidField(
            f"tail_lines is {wire.tail_lines}; allowed: 0 or more", field="tail_lines"
        )
    since = _time(wire.since) if wire.HasField("since") else None
    if wire.HasField("since") and since is None:
        raise InvalidField(
            f"since is {wire.since.seconds} s after 1970; allowed: the years 1 to 9999",
            field="since",
        )
    return LogQuery(
        cursor=wire.cursor,
        follow=wire.follow,
        timestamps=wire.timestamps,
        tail_lines=wire.tail_lines if wire.HasField("tail_lines") else None,
        since=since,
    )


def batch_to_wire(batch: LogBatch) -> v1.LogBatch:
    return v1.LogBatch(
        stream=v1.Stream.ValueType(batch.stream.value),
        data=batch.data,
        times=[v1.LineTime(offset=offset, time=_stamp(time)) for offset, time in batch.times],
        cursor=batch.cursor,
        end=batch.end,
    )


def batch_from_wire(wire: v1.LogBatch) -> LogBatch:
    return LogBatch(
        stream=_known(Stream, wire.stream, Stream.COMBINED),
        data=wire.data,
        cursor=wire.cursor,
        times=tuple((item.offset, time) for item in wire.times if (time := _time(item.time))),
        end=wire.end,
    )


def description_to_wire(description: Description) -> v1.Description:
    return v1.Description(
        provider=description.provider,
        version=description.version,
        honours=sorted(description.honours),
        limits=[v1.FieldLimit(field=f, limit=text) for f, text in description.limits.items()],
        side_effects=description.side_effects,
        secret_forms=description.secret_forms,
        separates_streams=description.separates_streams,
        statuses_per_call=description.statuses_per_call,
        calls_per_second=description.calls_per_second,
        visibility_grace_seconds=description.visibility_grace_seconds,
        log_drain_seconds=description.log_drain_seconds,
        poll_min_seconds=description.poll_min_seconds,
        poll_max_seconds=description.poll_max_seconds,
        remembers_seconds=description.remembers_seconds,
    )


def description_from_wire(wire: v1.Description) -> Description:
    return Description(
        provider=wire.provider,
        version=wire.version,
        honours=frozenset(wire.honours),
        limits={item.field: item.limit for item in wire.limits},
        side_effects=tuple(wire.side_effects),
        secret_forms=tuple(wire.secret_forms),
        separates_streams=wire.separates_streams,
        statuses_per_call=max(wire.statuses_per_call, 1),
        calls_per_second=max(wire.calls_per_second, 0.0),
        visibility_grace_seconds=max(wire.visibility_grace_seconds, 0.0),
        log_drain_seconds=max(wire.log_drain_seconds, 0.0),
        poll_min_seconds=max(wire.poll_min_seconds, 0.01),
        poll_max_seconds=max(wire.poll_max_seconds, wire.poll_min_seconds, 0.01),
        remembers_seconds=max(wire.remembers_seconds, 0.0),
    )


def check_to_wire(check: Check) -> v1.Check:
    return v1.Check(
        name=check.name,
        outcome=v1.CheckOutcome.ValueType(check.outcome.value),
        detail=check.detail,
        advice=check.advice,
    )


def check_from_wire(wire: v1.Check) -> Check:
    return Check(
        name=wire.name,
        outcome=_known(CheckOutcome, wire.outcome, CheckOutcome.WARNING),
        detail=wire.detail,
        advice=wire.advice,
    )


def plan_to_wire(plan: JobPlan) -> v1.PlanReply:
    return v1.PlanReply(
        calls=[
            v1.PlannedCall(call=c.call, request_json=c.request, note=c.note) for c in plan.calls
        ],
        notes=plan.notes,
    )


def plan_from_wire(wire: v1.PlanReply) -> JobPlan:
    return JobPlan(
        calls=tuple(
            PlannedCall(call=c.call, request=c.request_json, note=c.note) for c in wire.calls
        ),
        notes=tuple(wire.notes),
    )


def listed_to_wire(job: ListedJob) -> v1.ListedJob:
    return v1.ListedJob(
        observation=status_to_wire(job.status),
        idempotency_key=job.key,
        labels=job.labels,
        warning=job.warning,
    )


def listed_from_wire(wire: v1.ListedJob) -> ListedJob:
    return ListedJob(
        status=status_from_wire(wire.observation),
        key=wire.idempotency_key,
        labels=dict(wire.labels),
        warning=wire.warning,
    )


def leftover_to_wire(leftover: Leftover) -> v1.Leftover:
    return v1.Leftover(kind=leftover.kind, name=leftover.name, detail=leftover.detail)


def leftover_from_wire(wire: v1.Leftover) -> Leftover:
    return Leftover(kind=wire.kind, name=wire.name, detail=wire.detail)


def _known(kind: type[E], value: int, otherwise: E) -> E:
    try:
        return kind(value)
    except ValueError:
        return otherwise


def _stamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time.astimezone(UTC))
    return stamp


def _time(stamp: Timestamp) -> datetime | None:
    """A time, or None where the message holds one that no calendar has."""
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _words(text: str) -> str:
    """What a person is to read: kept with every status, so not as long as a message may be."""
    more = len(text) - _MAX_WORDS
    return text if more <= 0 else f"{text[:_MAX_WORDS]}... ({more} more characters)"


def _exit_code(value: int) -> int | None:
    """A code that a process can end with: 256 handed on would turn into 0, a success."""
    return value if 0 <= value <= 255 else None
