"""Every value comes back from the wire as it went, and nothing from there can break us."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract import convert, jobs, provider
from dayfly.contract.errors import InvalidField
from dayfly.contract.identity import intent_digest
from dayfly.contract.validate import validate_spec
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import iac_pb2 as iac

if TYPE_CHECKING:
    from collections.abc import Callable

HANDLE = jobs.JobHandle(id="h")
NAMED = attrgetter("__name__")

#: value, to the wire, the message's bytes back to the value
ROUND_TRIPS: list[tuple[type, Callable[[Any], Any], Callable[[bytes], Any]]] = [
    (
        jobs.JobHandle,
        convert.handle_to_wire,
        lambda raw: convert.handle_from_wire(iac.JobHandle.FromString(raw)),
    ),
    (
        jobs.JobStatus,
        convert.status_to_wire,
        lambda raw: convert.status_from_wire(v1.JobObservation.FromString(raw)),
    ),
    (
        jobs.Submitted,
        convert.submitted_to_wire,
        lambda raw: convert.submitted_from_wire(v1.SubmitEvent.FromString(raw).submitted),
    ),
    (
        jobs.Progress,
        convert.progress_to_wire,
        lambda raw: convert.progress_from_wire(v1.SubmitEvent.FromString(raw).progress),
    ),
    (
        jobs.LogBatch,
        convert.batch_to_wire,
        lambda raw: convert.batch_from_wire(v1.LogBatch.FromString(raw)),
    ),
    (
        jobs.LogQuery,
        lambda query: convert.query_to_wire(HANDLE, query),
        lambda raw: convert.query_from_wire(v1.LogsRequest.FromString(raw)),
    ),
    (
        provider.Description,
        convert.description_to_wire,
        lambda raw: convert.description_from_wire(v1.Description.FromString(raw)),
    ),
    (
        provider.Check,
        convert.check_to_wire,
        lambda raw: convert.check_from_wire(v1.Check.FromString(raw)),
    ),
    (
        provider.JobPlan,
        convert.plan_to_wire,
        lambda raw: convert.plan_from_wire(v1.PlanReply.FromString(raw)),
    ),
    (
        provider.ListedJob,
        convert.listed_to_wire,
        lambda raw: convert.listed_from_wire(v1.ListedJob.FromString(raw)),
    ),
    (
        provider.Leftover,
        convert.leftover_to_wire,
        lambda raw: convert.leftover_from_wire(v1.Leftover.FromString(raw)),
    ),
]


@pytest.mark.parametrize(("kind", "pack", "unpack"), ROUND_TRIPS, ids=NAMED)
@given(data=st.data())
def test_a_value_comes_back_as_it_went(kind, pack, unpack, data):
    value = data.draw(st.from_type(kind))
    assert unpack(pack(value).SerializeToString()) == value


@given(spec=..., key=st.text(max_size=20), follow=...)
def test_a_submission_comes_back_with_its_intent(spec: jobs.JobSpec, key: str, follow: bool):
    sent = jobs.Submission(spec=spec, key=key, follow=follow)
    raw = convert.submission_to_wire(sent).SerializeToString()
    got = convert.submission_from_wire(v1.Submission.FromString(raw))
    assert got == sent
    assert intent_digest(got.spec) == intent_digest(spec)


@given(spec=...)
def test_what_validation_accepts_the_wire_carries(spec: jobs.JobSpec):
    validate_spec(spec)
    convert.submission_to_wire(jobs.Submission(spec=spec, key="k")).SerializeToString()


@given(spec=...)
def test_a_classic_job_keeps_the_fields_it_has(spec: jobs.JobSpec):
    got = convert.spec_from_wire(convert.spec_to_wire(spec))
    for field in ("name", "image", "run_command", "env", "secrets", "timeout_seconds", "kind"):
        assert getattr(got, field) == getattr(spec, field)
    assert (got.target.name, got.target.type) == (spec.target.name, spec.target.type)


def refusal(read, value) -> InvalidField | None:
    try:
        read(value)
    except InvalidField as error:
        return error
    return None


FROM_ANYBODY = [
    (v1.JobObservation, convert.status_from_wire),
    (v1.Submission, convert.submission_from_wire),
    (v1.LogsRequest, convert.query_from_wire),
    (v1.LogBatch, convert.batch_from_wire),
    (v1.Description, convert.description_from_wire),
    (v1.ListedJob, convert.listed_from_wire),
    (v1.PlanReply, convert.plan_from_wire),
    (iac.JobSpec, convert.spec_from_wire),
    (iac.JobHandle, convert.handle_from_wire),
]


@pytest.mark.parametrize(("message", "read"), FROM_ANYBODY, ids=NAMED)
@given(raw=st.binary(max_size=80))
def test_bytes_from_anybody_are_read_or_refused(message, read, raw):
    try:
        wire = message.FromString(raw)
    except DecodeError:
        return
    error = refusal(read, wire)
    assert error is None or error.field


@pytest.mark.parametrize("seconds", [10**15, -(10**15)])
def test_a_time_that_no_calendar_has(seconds):
    far = Timestamp(seconds=seconds)
    status = v1.JobObservation(handle=iac.JobHandle(id="x"), created=far)
    assert convert.status_from_wire(status).created is None
    batch = v1.LogBatch(data=b"x", times=[v1.LineTime(offset=0, time=far)])
    assert convert.batch_from_wire(batch).times == ()
    with pytest.raises(InvalidField) as refused:
        convert.query_from_wire(v1.LogsRequest(handle=iac.JobHandle(id="x"), since=far))
    assert refused.value.field == "since"


@pytest.mark.parametrize("code", [-1, 256, 2**31 - 1])
def test_an_exit_code_that_no_process_has_is_not_known(code):
    """256 would become 0 where a process exits with it: a failure turned into a success."""
    handle = iac.JobHandle(id="x")
    wire = v1.JobObservation(
        handle=handle, state=iac.JOB_STATE_FAILED, exit_code=code, exit_code_source=1
    )
    status = convert.status_from_wire(wire)
    assert status.exit_code is None
    assert status.exit_code_source is jobs.ExitCodeSource.UNKNOWN
    classic = iac.JobStatusReply(handle=handle, state=iac.JOB_STATE_FAILED, exit_code=code)
    assert convert.classic_status_from_wire(classic, jobs.JobHandle(id="x")).exit_code is None


def test_what_a_later_version_says_is_unknown_and_not_a_guess():
    wire = v1.JobObservation(handle=iac.JobHandle(id="x"), state=77, exit_code_source=77, reason=77)
    status = convert.status_from_wire(wire)
    assert status.state is jobs.JobState.UNKNOWN
    assert status.exit_code_source is jobs.ExitCodeSource.UNKNOWN
    assert status.reason is jobs.Reason.PROVIDER_ERROR
    assert convert.batch_from_wire(v1.LogBatch(stream=77)).stream is jobs.Stream.COMBINED


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (v1.Submission(spec=iac.JobSpec(kind="SOMETIMES")), "kind"),
        (v1.Submission(spec=iac.JobSpec(), target_mode=9), "target.mode"),
    ],
)
def test_an_enum_of_a_request_must_be_known(wire, field):
    with pytest.raises(InvalidField) as refused:
        convert.submission_from_wire(wire)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (iac.JobHandle(), "handle.id"),
        (iac.JobHandle(id="x", metadata={"a": "b" * convert.MAX_HANDLE_BYTES}), "handle"),
    ],
)
def test_a_handle_has_an_id_and_a_bound(wire, field):
    with pytest.raises(InvalidField) as refused:
        convert.handle_from_wire(wire)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (v1.LogsRequest(tail_lines=-1), "tail_lines"),
        (v1.LogsRequest(cursor="c" * (convert.MAX_HANDLE_BYTES + 1)), "cursor"),
    ],
)
def test_a_log_query_is_checked(wire, field):
    with pytest.raises(InvalidField) as refused:
        convert.query_from_wire(wire)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ((jobs.JobState.FAILED, None, None), iac.JOB_STATE_FAILED, 1),
        ((jobs.JobState.FAILED, 42, jobs.Reason.EXITED_NONZERO), iac.JOB_STATE_FAILED, 42),
        ((jobs.JobState.UNKNOWN, None, jobs.Reason.LOST), iac.JOB_STATE_FAILED, 1),
        ((jobs.JobState.RUNNING, None, None), iac.JOB_STATE_RUNNING, 0),
        ((jobs.JobState.SUCCEEDED, 0, jobs.Reason.COMPLETED), iac.JOB_STATE_SUCCEEDED, 0),
    ],
)
def test_a_go_host_is_told_failure_as_failure(status, state, code):
    kind, exit_code, reason = status
    ours = jobs.JobStatus(handle=HANDLE, state=kind, exit_code=exit_code, reason=reason)
    wire = convert.classic_status_to_wire(ours)
    assert (wire.state, wire.exit_code) == (state, code)
    assert ("not known" in wire.message) == (ours.final and exit_code is None)


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        (iac.JOB_STATE_SUCCEEDED, 0, (0, jobs.Reason.COMPLETED)),
        (iac.JOB_STATE_FAILED, 3, (3, jobs.Reason.EXITED_NONZERO)),
        (iac.JOB_STATE_FAILED, 0, (None, jobs.Reason.PROVIDER_ERROR)),
        (iac.JOB_STATE_CANCELLED, 0, (None, jobs.Reason.CANCELLED)),
        (iac.JOB_STATE_RUNNING, 0, (None, None)),
    ],
)
def test_a_classic_status_claims_no_more_than_it_said(state, code, expected):
    wire = iac.JobStatusReply(state=state, exit_code=code)
    status = convert.classic_status_from_wire(wire, HANDLE)
    assert (status.exit_code, status.reason) == expected
    assert status.handle == HANDLE


def test_a_message_that_nobody_reads_to_its_end_is_cut_and_says_so():
    """A status is kept, written down and shown; what a plugin says in it may be 32 MiB."""
    endless = "x" * 2_000_000
    theirs = v1.JobObservation(handle=iac.JobHandle(id="h"), message=endless, evidence=endless)
    classic = iac.JobStatusReply(message=endless)
    status = convert.status_from_wire(theirs)
    for said in (
        status.message,
        status.evidence,
        convert.classic_status_from_wire(classic, HANDLE).message,
    ):
        assert len(said) < 70_000
        assert said.endswith("x... (1934464 more characters)")
