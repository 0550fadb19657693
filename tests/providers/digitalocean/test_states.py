"""What follows from an invocation and a deployment: one row, one verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from tests.providers.digitalocean.samples import DEPLOYMENT, INVOCATION, PLACE

from dayfly.contract.jobs import ExitCodeSource, JobState, Reason
from dayfly.providers.digitalocean.states import status

ZERO = "0001-01-01T00:00:00Z"
MADE, BEGAN, ENDED = (f"2026-01-02T03:0{minute}:00Z" for minute in (1, 2, 3))
LATER = "2026-01-02T03:09:00Z"
HANDLE = PLACE.handle()
NONZERO = "DeployContainerExitNonZero"


def invocation(phase: str | None, **more: Any) -> dict[str, Any]:
    times = {"created_at": MADE, "started_at": BEGAN, "completed_at": ENDED}
    return {"id": INVOCATION, "job_name": "job", "phase": phase} | times | more


def step(status: str, code: str = "", *, name: str = "job", **more: Any) -> dict[str, Any]:
    reason = {"reason": {"code": code, "message": "in its own words"}} if code else {}
    times = {"started_at": BEGAN, "ended_at": ENDED}
    return {"name": "deploy", "component_name": name, "status": status} | times | reason | more


def deployment(
    phase: str | None, *steps: dict[str, Any], kind: str = "PRE_DEPLOY", **more: Any
) -> dict[str, Any]:
    # Steps are recursive; a component's own are not at the top.
    tree = [{"name": "build", "status": "SUCCESS"}, {"name": "deploy", "steps": list(steps)}]
    return {
        "id": DEPLOYMENT,
        "phase": phase,
        "created_at": MADE,
        "phase_last_updated_at": LATER,
        "spec": {"name": PLACE.name, "jobs": [{"name": "job", "kind": kind}]},
        "progress": {"steps": tree},
    } | more


class Row(NamedTuple):
    invocation: dict[str, Any] | None
    deployment: dict[str, Any] | None
    state: JobState
    reason: Reason | None = None
    code: int | None = None
    said: str = ""


PENDING, RUNNING, UNKNOWN = JobState.PENDING, JobState.RUNNING, JobState.UNKNOWN
SUCCEEDED, FAILED, CANCELLED = JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED
DEPLOYING, ACTIVE = deployment("DEPLOYING"), deployment("ACTIVE")
MAY_NOT = "the job may not have run"

ROWS = {
    # A matching invocation wins.
    "invocation pending": Row(invocation("PENDING"), DEPLOYING, PENDING),
    "invocation running": Row(invocation("RUNNING"), DEPLOYING, RUNNING),
    "invocation running, no deployment": Row(invocation("RUNNING"), None, RUNNING),
    "invocation running, deployment over": Row(invocation("RUNNING"), ACTIVE, RUNNING),
    "invocation succeeded": Row(
        invocation("SUCCEEDED"), DEPLOYING, SUCCEEDED, Reason.COMPLETED, code=0
    ),
    "invocation succeeded, deployment failed": Row(
        invocation("SUCCEEDED"), deployment("ERROR"), SUCCEEDED, Reason.COMPLETED, code=0
    ),
    "invocation succeeded, superseded": Row(
        invocation("SUCCEEDED"), deployment("SUPERSEDED"), SUCCEEDED, Reason.COMPLETED, code=0
    ),
    "invocation failed, its deployment does not say why yet": Row(
        invocation("FAILED"), DEPLOYING, RUNNING
    ),
    "invocation failed, no deployment": Row(
        invocation("FAILED"), None, FAILED, Reason.EXITED_NONZERO, said="no exit code"
    ),
    "invocation failed, deployment failed": Row(
        invocation("FAILED"),
        deployment("ERROR"),
        FAILED,
        Reason.EXITED_NONZERO,
        said="no exit code",
    ),
    "invocation failed, deployment active": Row(
        invocation("FAILED"), ACTIVE, FAILED, Reason.EXITED_NONZERO
    ),
    "invocation failed, a step says why": Row(
        invocation("FAILED"),
        deployment("ERROR", step("ERROR", "DeployContainerOOMKilled")),
        FAILED,
        Reason.OUT_OF_MEMORY,
        said="DeployContainerOOMKilled: in its own words",
    ),
    "invocation failed and never began": Row(
        invocation("FAILED", started_at=ZERO), None, FAILED, Reason.NEVER_STARTED
    ),
    "invocation failed without its times": Row(
        invocation("FAILED", started_at=ZERO, completed_at=ZERO),
        deployment("ERROR", step("ERROR", "SomethingNew")),
        FAILED,
        Reason.EXITED_NONZERO,
        said="SomethingNew",
    ),
    "invocation cancelled": Row(invocation("CANCELED"), ACTIVE, CANCELLED, Reason.CANCELLED),
    "invocation skipped": Row(invocation("SKIPPED"), ACTIVE, FAILED, Reason.NEVER_STARTED),
    # One that says nothing leaves it to the deployment.
    "invocation unknown, active": Row(
        invocation("UNKNOWN"), ACTIVE, SUCCEEDED, Reason.COMPLETED, code=0
    ),
    "invocation unknown, superseded": Row(
        invocation("UNKNOWN"), deployment("SUPERSEDED"), UNKNOWN, said="later deployment"
    ),
    "invocation of a new phase": Row(invocation("RETRYING"), DEPLOYING, PENDING),
    "invocation without a phase": Row(invocation(None), DEPLOYING, PENDING),
    "invocation unknown, no deployment": Row(
        invocation("UNKNOWN"), None, UNKNOWN, said="no such deployment"
    ),
    # The deployment alone.
    "neither": Row(None, None, UNKNOWN, said="no such deployment"),
    "pending build": Row(None, deployment("PENDING_BUILD"), PENDING, said="pending_build"),
    "building": Row(None, deployment("BUILDING"), PENDING, said="building"),
    "pending deploy": Row(None, deployment("PENDING_DEPLOY"), PENDING, said="pending_deploy"),
    "deploying": Row(None, DEPLOYING, PENDING),
    "deploying, step pending": Row(None, deployment("DEPLOYING", step("PENDING")), PENDING),
    "deploying, step at work": Row(None, deployment("DEPLOYING", step("RUNNING")), RUNNING),
    "deploying, another's step at work": Row(
        None, deployment("DEPLOYING", step("RUNNING", name="web")), PENDING
    ),
    "active": Row(None, ACTIVE, SUCCEEDED, Reason.COMPLETED, code=0),
    "active, of a job after it": Row(
        None, deployment("ACTIVE", kind="POST_DEPLOY"), UNKNOWN, said="POST_DEPLOY"
    ),
    "active, of a job in case of failure": Row(
        None, deployment("ACTIVE", kind="FAILED_DEPLOY"), UNKNOWN, said="FAILED_DEPLOY"
    ),
    "active, and no such job in it": Row(
        None, deployment("ACTIVE", spec={"name": "shop"}), UNKNOWN, said="says nothing"
    ),
    "error, exited": Row(
        None,
        deployment("ERROR", step("ERROR", NONZERO)),
        FAILED,
        Reason.EXITED_NONZERO,
        said=f"{NONZERO}: in its own words",
    ),
    "error, exited, told by an inner step": Row(
        None,
        deployment("ERROR", step("ERROR", steps=[step("ERROR", NONZERO)])),
        FAILED,
        Reason.EXITED_NONZERO,
    ),
    "error, exited, and an inner step knows more": Row(
        None,
        deployment("ERROR", step("ERROR", NONZERO, steps=[step("ERROR", "ErrImagePull")])),
        FAILED,
        Reason.IMAGE_UNAVAILABLE,
    ),
    "error, out of memory": Row(
        None,
        deployment("ERROR", step("ERROR", "DeployContainerOOMKilled")),
        FAILED,
        Reason.OUT_OF_MEMORY,
    ),
    "error, no image": Row(
        None,
        deployment("ERROR", step("ERROR", "ImagePullBackOff")),
        FAILED,
        Reason.IMAGE_UNAVAILABLE,
    ),
    "error, too long": Row(
        None, deployment("ERROR", step("ERROR", "PreDeployJobTimedOut")), FAILED, Reason.TIMED_OUT
    ),
    "error, for a new reason": Row(
        None,
        deployment("ERROR", step("ERROR", "SomethingNew")),
        FAILED,
        Reason.PROVIDER_ERROR,
        said=f"{MAY_NOT}: SomethingNew: in its own words",
    ),
    "error, without a reason": Row(
        None, deployment("ERROR", step("ERROR")), FAILED, Reason.PROVIDER_ERROR, said="does not say"
    ),
    "error elsewhere, job pending": Row(
        None,
        deployment("ERROR", step("PENDING"), step("ERROR", NONZERO, name="web")),
        FAILED,
        Reason.NEVER_STARTED,
        said=f"{MAY_NOT}: web: {NONZERO}: in its own words",
    ),
    "error elsewhere, job done": Row(
        None,
        deployment("ERROR", step("SUCCESS"), step("ERROR", NONZERO, name="web")),
        FAILED,
        Reason.PROVIDER_ERROR,
        said=f"a step of the job's had succeeded: web: {NONZERO}",
    ),
    "error elsewhere, no step of the job's": Row(
        None,
        deployment("ERROR", step("ERROR", "BuildFailed", name="web")),
        FAILED,
        Reason.PROVIDER_ERROR,
        said=MAY_NOT,
    ),
    "error, no steps at all": Row(
        None, deployment("ERROR", progress=None), FAILED, Reason.PROVIDER_ERROR, said=MAY_NOT
    ),
    "cancelled": Row(None, deployment("CANCELED"), CANCELLED, Reason.CANCELLED),
    "superseded": Row(None, deployment("SUPERSEDED"), UNKNOWN, said="whether the job ran"),
    # Not even a step that succeeded makes a success of it.
    "superseded, step done": Row(None, deployment("SUPERSEDED", step("SUCCESS")), UNKNOWN),
    "unknown": Row(None, deployment("UNKNOWN"), UNKNOWN, said="DigitalOcean says UNKNOWN"),
    "a new phase": Row(None, deployment("PAUSED"), UNKNOWN, said="DigitalOcean says PAUSED"),
    "no phase": Row(None, deployment(None), UNKNOWN, said="DigitalOcean says nothing"),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row(row: Row) -> None:
    seen = status(HANDLE, "job", row.invocation, row.deployment)
    assert (seen.state, seen.reason, seen.exit_code) == (row.state, row.reason, row.code)
    # A code is never DigitalOcean's own, and a signal is not told at all.
    inferred = ExitCodeSource.UNKNOWN if row.code is None else ExitCodeSource.INFERRED
    assert seen.exit_code_source is inferred
    assert seen.signal is None
    assert row.said in seen.message
    assert seen.handle == HANDLE
    assert seen.final == (row.state in {SUCCEEDED, FAILED, CANCELLED})
    # Both witnesses are in the evidence, in their own words.
    words = seen.evidence.split(" deployment=")
    said = f"{row.invocation['phase']} ({INVOCATION})" if row.invocation else "none"
    assert words[0] == f"invocation={said}"
    phase = row.deployment["phase"] if row.deployment else "none"
    assert words[1].split()[0] == str(phase)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_the_steps_are_evidence() -> None:
    seen = status(HANDLE, "job", None, deployment("ERROR", step("ERROR", NONZERO)))
    assert seen.evidence == f"invocation=none deployment=ERROR deploy=ERROR/{NONZERO}"


@pytest.mark.parametrize(
    ("witness", "place", "created", "started", "ended"),
    [
        (invocation("SUCCEEDED"), ACTIVE, MADE, BEGAN, ENDED),
        (invocation("SUCCEEDED"), None, MADE, BEGAN, ENDED),
        # Without the invocation's times the deployment says when it was over at the latest.
        (invocation("SUCCEEDED", completed_at=ZERO), ACTIVE, MADE, BEGAN, LATER),
        (invocation("SUCCEEDED", started_at=ZERO, completed_at=ZERO), None, MADE, None, None),
        (invocation("SUCCEEDED", started_at=ENDED, completed_at=BEGAN), None, MADE, ENDED, ENDED),
        (invocation("RUNNING", completed_at=ZERO), DEPLOYING, MADE, BEGAN, None),
        (None, deployment("ACTIVE", step("SUCCESS")), MADE, BEGAN, ENDED),
        (None, deployment("ACTIVE", step("SUCCESS", ended_at=ZERO)), MADE, BEGAN, LATER),
        (
            None,
            deployment("ACTIVE", phase_last_updated_at=ZERO, updated_at=ENDED),
            MADE,
            None,
            ENDED,
        ),
        (None, deployment("ACTIVE", phase_last_updated_at=ZERO), MADE, None, None),
        (None, deployment("ACTIVE", created_at=ZERO), None, None, LATER),
        # What has not ended has no end, whatever is told.
        (None, deployment("DEPLOYING", step("RUNNING")), MADE, BEGAN, None),
        (None, deployment("SUPERSEDED", step("SUCCESS")), MADE, BEGAN, None),
    ],
)
def test_times(
    witness: dict[str, Any] | None,
    place: dict[str, Any] | None,
    created: str | None,
    started: str | None,
    ended: str | None,
) -> None:
    seen = status(HANDLE, "job", witness, place)
    expected = [at(text) if text else None for text in (created, started, ended)]
    assert [seen.created, seen.started, seen.ended] == expected
