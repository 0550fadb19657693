"""Honour or refuse; and the names and digests that make a launch happen once."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.contract.honour import fields_set, flag_for, refuse_unhonoured
from dayfly.contract.identity import intent_digest, key_digest, name_for
from dayfly.contract.jobs import JobSpec, JobTarget, Resources, TargetMode
from dayfly.contract.provider import Description


def describe(*honours: str) -> Description:
    return Description(provider="p", version="1.0.0", honours=frozenset(honours))


def test_fields_set_reaches_into_parts():
    spec = JobSpec(
        name="n",
        command=("a",),
        resources=Resources(cpus=1),
        target=JobTarget(mode=TargetMode.ATTACHED_RUN, name="x"),
        grace_period_seconds=0,
    )
    assert fields_set(spec) == {
        "name",
        "command",
        "resources.cpus",
        "target.mode",
        "target.name",
        "grace_period_seconds",
    }
    assert fields_set(JobSpec()) == frozenset()


@given(spec=...)
def test_a_job_is_taken_with_its_fields_and_refused_without_any_one(spec: JobSpec):
    wanted = fields_set(spec)
    refuse_unhonoured(spec, describe(*wanted))
    for field in wanted - {"name"}:
        with pytest.raises(InvalidField) as refused:
            refuse_unhonoured(spec, describe(*(wanted - {field})))
        assert refused.value.field == field
        assert flag_for(field) in refused.value.advice


@pytest.mark.parametrize(
    ("field", "flag"),
    [("resources.memory_mib", "--memory"), ("user", "--user"), ("command", "-- ARGV")],
)
def test_a_field_has_its_flag(field, flag):
    assert flag_for(field) == flag


@given(key=st.text(min_size=1, max_size=128), name=st.text(max_size=80), limit=st.integers(32, 80))
def test_a_name_fits_every_cloud_and_ends_with_its_key(key, name, limit):
    made = name_for(key, name, limit=limit)
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", made)
    assert len(made) <= limit
    assert made.endswith(key_digest(key))


@given(a=..., b=...)
def test_one_digest_one_job(a: JobSpec, b: JobSpec):
    assert (intent_digest(a) == intent_digest(b)) == (a == b)


def test_the_order_of_a_table_and_the_way_a_number_is_written_do_not_matter():
    one = JobSpec(env={"A": "1", "B": "2"}, resources=Resources(cpus=1))
    other = JobSpec(env={"B": "2", "A": "1"}, resources=Resources(cpus=1.0))
    assert intent_digest(one) == intent_digest(other)


def test_a_digest_is_the_same_in_every_release():
    """A journal and a cloud keep digests: changing one turns an adopted job into a clash."""
    spec = JobSpec(name="n", command=("echo", "é"), resources=Resources(cpus=0.5))
    assert key_digest("k") == "8254c329a92850f6d539"
    assert intent_digest(spec) == intent_digest(replace(spec))
    assert intent_digest(spec).startswith("53d8915fb63c4b8ea3fc12aa01d3e99b")
