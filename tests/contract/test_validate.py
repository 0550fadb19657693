"""Each field's bad values are refused under that field's name."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import (
    Isolation,
    JobAlert,
    JobSpec,
    JobTarget,
    LogDestination,
    Resources,
    TargetMode,
)
from dayfly.contract.validate import validate_key, validate_spec

LONE = "\ud800"
LONG = "x" * 200_000

BAD: list[tuple[JobSpec, str]] = [
    (JobSpec(name="-x"), "name"),
    (JobSpec(name="a b"), "name"),
    (JobSpec(name="x" * 64), "name"),
    (JobSpec(name="x\n"), "name"),
    (JobSpec(image="a b"), "image"),
    (JobSpec(image="-rm"), "image"),
    (JobSpec(image="x" * 513), "image"),
    (JobSpec(image=LONE), "image"),
    (JobSpec(command=("",)), "command[0]"),
    (JobSpec(command=("echo", "a\0b")), "command[1]"),
    (JobSpec(command=("echo", LONE)), "command[1]"),
    (JobSpec(command=("echo", LONG)), "command[1]"),
    (JobSpec(command="echo hi"), "command"),  # type: ignore[arg-type]
    (JobSpec(command=("echo", 3)), "command[1]"),  # type: ignore[arg-type]
    (JobSpec(command=("a",), run_command="b"), "run_command"),
    (JobSpec(run_command="a\0"), "run_command"),
    (JobSpec(entrypoint=("a\0",)), "entrypoint[0]"),
    (JobSpec(env={"": "x"}), "env"),
    (JobSpec(env={"A=B": "x"}), "env"),
    (JobSpec(env={"A\0": "x"}), "env"),
    (JobSpec(env={LONE: "x"}), "env"),
    (JobSpec(env={"A": "x\0"}), "env.A"),
    (JobSpec(env={"A": LONE}), "env.A"),
    (JobSpec(env={"A": 1}), "env.A"),  # type: ignore[dict-item]
    (JobSpec(env={"A": "secret://a"}), "env.A"),
    (JobSpec(env=["A=1"]), "env"),  # type: ignore[arg-type]
    (JobSpec(secrets={"": "env:X"}), "secrets"),
    (JobSpec(secrets={"A": ""}), "secrets.A"),
    (JobSpec(secrets={"A": "a\nb"}), "secrets.A"),
    (JobSpec(secrets={"A": LONE}), "secrets.A"),
    (JobSpec(secrets={"A": "x" * 2049}), "secrets.A"),
    (JobSpec(secrets={"A": "env:A"}, env={"A": "b"}), "secrets.A"),
    (JobSpec(resources=Resources(cpus=0)), "resources.cpus"),
    (JobSpec(resources=Resources(cpus=-1)), "resources.cpus"),
    (JobSpec(resources=Resources(cpus=float("nan"))), "resources.cpus"),
    (JobSpec(resources=Resources(cpus=float("inf"))), "resources.cpus"),
    (JobSpec(resources=Resources(cpus="1")), "resources.cpus"),  # type: ignore[arg-type]
    (JobSpec(resources=Resources(memory_mib=1)), "resources.memory_mib"),
    (JobSpec(resources=Resources(memory_mib=2**40)), "resources.memory_mib"),
    (JobSpec(resources=Resources(memory_mib=6.5)), "resources.memory_mib"),  # type: ignore[arg-type]
    (JobSpec(resources=Resources(cpu_time_seconds=0)), "resources.cpu_time_seconds"),
    (JobSpec(timeout_seconds=0), "timeout_seconds"),
    (JobSpec(timeout_seconds=-1), "timeout_seconds"),
    (JobSpec(timeout_seconds=2**40), "timeout_seconds"),
    (JobSpec(timeout_seconds=1.5), "timeout_seconds"),  # type: ignore[arg-type]
    (JobSpec(grace_period_seconds=-1), "grace_period_seconds"),
    (JobSpec(drain_seconds=-1), "drain_seconds"),
    (JobSpec(working_dir="a\0"), "working_dir"),
    (JobSpec(working_dir="x" * 5000), "working_dir"),
    (JobSpec(user=LONE), "user"),
    (JobSpec(network="a\0"), "network"),
    (JobSpec(cron="a\0"), "cron"),
    (JobSpec(platform="amd64"), "platform"),
    (JobSpec(labels={"a b": ""}), "labels"),
    (JobSpec(labels={"a": "x" * 257}), "labels.a"),
    (JobSpec(labels={"a": LONE}), "labels.a"),
    (JobSpec(target=JobTarget(name="x")), "target.mode"),
    (JobSpec(target=JobTarget(type="x")), "target.mode"),
    (JobSpec(target=JobTarget(mode=TargetMode.ATTACHED_RUN)), "target.name"),
    (JobSpec(target=JobTarget(mode=TargetMode.ATTACHED_RUN, name=LONE)), "target.name"),
    (JobSpec(target=JobTarget(mode=TargetMode.ATTACHED_RUN, name="a", type=LONE)), "target.type"),
    (JobSpec(alerts=(JobAlert(rule=LONE),)), "alerts[0].rule"),
    (JobSpec(alerts=(JobAlert(rule="x", value="1"),)), "alerts[0].value"),  # type: ignore[arg-type]
    (
        JobSpec(log_destinations=(LogDestination(name="n", endpoint=LONE),)),
        "log_destinations[0].endpoint",
    ),
    (
        JobSpec(log_destinations=(LogDestination(name="n", endpoint="e", headers={"a": LONE}),)),
        "log_destinations[0].headers.a",
    ),
    (JobSpec(kind="SOMETIMES"), "kind"),  # type: ignore[arg-type]
    (JobSpec(isolation="strict"), "isolation"),  # type: ignore[arg-type]
    (JobSpec(isolation=Isolation(no_network=1)), "isolation.no_network"),  # type: ignore[arg-type]
    (JobSpec(isolation=Isolation(no_network=True), network="bridge"), "network"),
    (JobSpec(isolation=Isolation(drop_capabilities=("all",))), "isolation.drop_capabilities"),
    (JobSpec(isolation=Isolation(drop_capabilities=("CAP_KILL",))), "isolation.drop_capabilities"),
    (JobSpec(isolation=Isolation(pids_limit=0)), "isolation.pids_limit"),
    (JobSpec(isolation=Isolation(pids_limit=2**30)), "isolation.pids_limit"),
    (JobSpec(isolation=Isolation(tmpfs={"tmp": 1})), "isolation.tmpfs"),
    (JobSpec(isolation=Isolation(tmpfs={"/": 1})), "isolation.tmpfs"),
    (JobSpec(isolation=Isolation(tmpfs={"/a/../b": 1})), "isolation.tmpfs"),
    (JobSpec(isolation=Isolation(tmpfs={"/a:exec": 1})), "isolation.tmpfs"),
    (JobSpec(isolation=Isolation(tmpfs={LONE: 1})), "isolation.tmpfs"),
    (JobSpec(isolation=Isolation(tmpfs={"/tmp": 0})), "isolation.tmpfs"),
    (JobSpec(isolation=Isolation(tmpfs={"/tmp": "1"})), "isolation.tmpfs./tmp"),  # type: ignore[dict-item]
    (JobSpec(isolation=Isolation(tmpfs=["/tmp"])), "isolation.tmpfs"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(
    ("spec", "field"), BAD, ids=[f"{n}-{field}" for n, (_, field) in enumerate(BAD)]
)
def test_a_bad_value_is_refused_under_its_name(spec, field):
    with pytest.raises(InvalidField) as refused:
        validate_spec(spec)
    assert refused.value.field == field
    assert len(refused.value.message) < 500
    refused.value.message.encode()


def test_every_field_of_a_job_has_a_bad_value_here():
    tried = {field.split(".")[0].split("[")[0] for _, field in BAD}
    assert {field.name for field in fields(JobSpec)} <= tried


def refusal(read, value) -> InvalidField | None:
    try:
        read(value)
    except InvalidField as error:
        return error
    return None


@given(spec=...)
def test_good_jobs_pass(spec: JobSpec):
    validate_spec(spec)


def test_a_reference_that_may_be_a_value_is_not_shown():
    with pytest.raises(InvalidField) as refused:
        validate_spec(JobSpec(secrets={"A": "hunter2\n"}))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ключ", "a\n", LONE])
def test_bad_keys(key):
    with pytest.raises(InvalidField) as refused:
        validate_key(key)
    assert refused.value.field == "key"


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=128))
def test_good_keys(key):
    validate_key(key)


@given(st.text(st.characters(), max_size=200))
def test_any_text_as_any_field_is_taken_or_refused(text):
    for field in ("name", "image", "run_command", "working_dir", "user", "network", "platform"):
        error = refusal(validate_spec, JobSpec(**{field: text}))
        assert error is None or error.field == field
