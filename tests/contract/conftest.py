"""Strategies for the contract's values, so that tests can say ``st.from_type(JobSpec)``."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st

from dayfly.contract import jobs, provider

settings.register_profile("contract", deadline=None, max_examples=30)
settings.load_profile("contract")

texts = st.text(max_size=20)
words = st.text(max_size=20).filter(lambda text: "\0" not in text)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
variables = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
references = st.from_regex(r"(env|file|keyring|secret):[!-~]{1,20}", fullmatch=True)
times = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis wants it naive
    max_value=datetime(9999, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
seconds = st.none() | st.integers(1, 7 * 24 * 3600)

_targets = st.just(jobs.JobTarget()) | st.builds(
    jobs.JobTarget,
    mode=st.sampled_from([jobs.TargetMode.ATTACHED_CLONE, jobs.TargetMode.ATTACHED_RUN]),
    name=names,
    type=words,
    provider_id=words,
    allow_redeploy=st.booleans(),
)
_argv = st.builds(lambda first, rest: (first, *rest), names, st.lists(words, max_size=5))
_common = {
    "name": names,
    "image": st.sampled_from(["", "alpine:3", "docker.io/library/alpine@sha256:" + "0" * 64]),
    "entrypoint": st.lists(words, max_size=3).map(tuple),
    "env": st.dictionaries(variables.map("E_{}".format), words, max_size=4),
    "secrets": st.dictionaries(variables.map("S_{}".format), references, max_size=4),
    "resources": st.builds(
        jobs.Resources,
        cpus=st.none() | st.integers(1, 64) | st.floats(0.001, 64),
        memory_mib=st.none() | st.integers(6, 10**6),
        cpu_time_seconds=seconds,
    ),
    "timeout_seconds": seconds,
    "grace_period_seconds": st.none() | st.integers(0, 3600),
    "drain_seconds": st.none() | st.integers(0, 3600),
    "working_dir": words,
    "user": words,
    "network": words,
    "platform": st.sampled_from(["", "linux/amd64", "linux/arm/v7"]),
    "labels": st.dictionaries(names, words, max_size=3),
    "target": _targets,
    "kind": st.sampled_from(list(jobs.JobKind)),
    "cron": words,
    "alerts": st.lists(
        st.builds(jobs.JobAlert, rule=words, value=st.integers(-9, 9) | st.floats(-1e6, 1e6)),
        max_size=2,
    ).map(tuple),
    "log_destinations": st.lists(
        st.builds(
            jobs.LogDestination,
            name=words,
            endpoint=words,
            headers=st.dictionaries(words, words, max_size=2),
            tls=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
}
_isolations = st.just(jobs.Isolation()) | st.builds(
    jobs.Isolation,
    read_only_root=st.booleans(),
    no_new_privileges=st.booleans(),
    drop_capabilities=st.lists(st.sampled_from(["ALL", "NET_ADMIN", "SYS_PTRACE"])).map(tuple),
    pids_limit=st.none() | st.integers(1, 4096),
    tmpfs=st.dictionaries(names.map("/{}".format), st.integers(1, 4096), max_size=2),
)
_common["isolation"] = _isolations
_apart = {
    **_common,
    "network": st.just(""),
    "isolation": st.builds(jobs.Isolation, no_network=st.just(True)),
}
_handles = st.builds(
    jobs.JobHandle,
    id=st.text(min_size=1, max_size=30),
    name=texts,
    provider=texts,
    metadata=st.dictionaries(texts, texts, max_size=4),
)
_maybe = st.none() | times
_statuses = st.builds(
    jobs.JobStatus,
    handle=_handles,
    state=st.sampled_from(jobs.JobState),
    exit_code=st.integers(0, 255),
    exit_code_source=st.sampled_from(jobs.ExitCodeSource),
    signal=st.none() | st.integers(1, 64),
    reason=st.none() | st.sampled_from(jobs.Reason),
    message=texts,
    evidence=texts,
    may_pass=st.booleans(),
    created=_maybe,
    started=_maybe,
    ended=_maybe,
)
_statuses |= st.builds(jobs.JobStatus, handle=_handles, state=st.sampled_from(jobs.JobState))
_amounts = st.floats(0.02, 5)

for kind, strategy in {
    jobs.JobSpec: st.builds(jobs.JobSpec, command=_argv, **_common)
    | st.builds(jobs.JobSpec, run_command=words, **_common)
    | st.builds(jobs.JobSpec, run_command=words, **_apart),
    jobs.JobHandle: _handles,
    jobs.JobStatus: _statuses,
    jobs.Submitted: st.builds(
        jobs.Submitted,
        handle=_handles,
        adopted=st.booleans(),
        notes=st.lists(texts, max_size=3).map(tuple),
    ),
    jobs.Progress: st.builds(
        jobs.Progress,
        phase=texts,
        detail=texts,
        done=st.none() | st.integers(0, 2**62),
        total=st.none() | st.integers(0, 2**62),
    ),
    jobs.LogBatch: st.builds(
        jobs.LogBatch,
        stream=st.sampled_from(jobs.Stream),
        data=st.binary(max_size=50),
        cursor=texts,
        times=st.lists(st.tuples(st.integers(0, 2**31 - 1), times), max_size=3).map(tuple),
        end=st.booleans(),
    ),
    jobs.LogQuery: st.builds(
        jobs.LogQuery,
        cursor=texts,
        follow=st.booleans(),
        timestamps=st.booleans(),
        tail_lines=st.none() | st.integers(0, 10**6),
        since=_maybe,
    ),
    provider.Description: st.builds(
        provider.Description,
        provider=texts,
        version=texts,
        honours=st.frozensets(texts, max_size=4),
        limits=st.dictionaries(texts, texts, max_size=3),
        side_effects=st.lists(texts, max_size=3).map(tuple),
        secret_forms=st.lists(texts, max_size=3).map(tuple),
        separates_streams=st.booleans(),
        statuses_per_call=st.integers(1, 1000),
        calls_per_second=st.floats(0, 100),
        visibility_grace_seconds=st.floats(0, 100),
        log_drain_seconds=st.floats(0, 100),
        poll_min_seconds=_amounts,
        poll_max_seconds=_amounts.map(lambda amount: amount + 5),
        remembers_seconds=_amounts,
    ),
    provider.Check: st.builds(
        provider.Check,
        name=texts,
        outcome=st.sampled_from(provider.CheckOutcome),
        detail=texts,
        advice=texts,
    ),
    provider.JobPlan: st.builds(
        provider.JobPlan,
        calls=st.lists(
            st.builds(provider.PlannedCall, call=texts, request=texts, note=texts), max_size=3
        ).map(tuple),
        notes=st.lists(texts, max_size=3).map(tuple),
    ),
    provider.ListedJob: st.builds(
        provider.ListedJob,
        status=_statuses,
        key=texts,
        labels=st.dictionaries(texts, texts, max_size=3),
        warning=texts,
    ),
    provider.Leftover: st.builds(provider.Leftover, kind=texts, name=texts, detail=texts),
}.items():
    st.register_type_strategy(kind, strategy)  # type: ignore[arg-type]
