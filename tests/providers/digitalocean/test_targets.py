"""What is told of another's app before it is changed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.digitalocean.samples import (
    APP,
    DEPLOYMENT,
    IMAGE,
    KEY,
    PLACE,
    place,
    submission,
)

from dayfly.contract.errors import Conflict, InvalidField
from dayfly.contract.jobs import JobState, JobStatus, Reason
from dayfly.providers.digitalocean.component import Values, component
from dayfly.providers.digitalocean.config import Config
from dayfly.providers.digitalocean.handles import Mode
from dayfly.providers.digitalocean.images import parse_image
from dayfly.providers.digitalocean.own import own_name
from dayfly.providers.digitalocean.targets import job_component, refuse_busy, refuse_leftovers
from dayfly.providers.digitalocean.witnesses import Seen, under_way

HANDLE = PLACE.handle()


def app(*jobs: tuple[str, str], **slots: Any) -> dict[str, Any]:
    rows = [{"name": name, "kind": kind} for name, kind in jobs]
    return {"id": APP, "spec": {"name": "shop", "jobs": rows}} | slots


MIGRATE, SEED, REPORT = ("migrate", "PRE_DEPLOY"), ("seed", "PRE_DEPLOY"), ("report", "POST_DEPLOY")


@pytest.mark.parametrize(
    ("jobs", "wanted", "found"),
    [
        ([MIGRATE], "", "migrate"),
        ([MIGRATE, REPORT], "", "migrate"),
        ([MIGRATE, SEED], "seed", "seed"),
    ],
)
def test_the_job_that_is_meant(jobs: list[tuple[str, str]], wanted: str, found: str) -> None:
    assert job_component(app(*jobs), wanted) == found


@pytest.mark.parametrize(
    ("jobs", "wanted", "there"),
    [
        ([], "", "none"),
        ([MIGRATE, SEED], "", "migrate, seed"),
        ([MIGRATE], "seed", "migrate"),
        # How a job after the deployment ends is not told.
        ([REPORT], "report", "none"),
    ],
)
def test_no_such_job(jobs: list[tuple[str, str]], wanted: str, there: str) -> None:
    with pytest.raises(InvalidField) as caught:
        job_component(app(*jobs), wanted)
    assert caught.value.field == "target.name"
    assert caught.value.message.endswith(f"PRE_DEPLOY: {there}")


@pytest.mark.parametrize("phase", ["UNKNOWN", "PENDING_BUILD", "BUILDING", "DEPLOYING", None])
@pytest.mark.parametrize("slot", ["pending_deployment", "in_progress_deployment"])
def test_an_app_that_is_deployed_is_left_alone(slot: str, phase: str | None) -> None:
    with pytest.raises(Conflict) as caught:
        refuse_busy(app(**{slot: {"id": DEPLOYMENT, "phase": phase}}), "shop")
    assert DEPLOYMENT in caught.value.message


@pytest.mark.parametrize("phase", ["ACTIVE", "SUPERSEDED", "ERROR", "CANCELED"])
def test_one_that_is_not_may_be_changed(phase: str) -> None:
    row = {"id": DEPLOYMENT, "phase": phase}
    refuse_busy(app(pending_deployment=row, in_progress_deployment=row), "shop")
    refuse_busy(app(active_deployment={"id": DEPLOYMENT, "phase": "DEPLOYING"}), "shop")
    refuse_busy(app(), "shop")


def test_an_app_with_another_run_s_job_is_left_alone() -> None:
    body = component(submission(), Config(), parse_image(IMAGE), Values(secrets={}))
    left = app(MIGRATE)
    refuse_leftovers(left, "shop")
    left["spec"]["jobs"].append(body | {"name": own_name(KEY)})
    with pytest.raises(Conflict) as caught:
        refuse_leftovers(left, "shop")
    assert own_name(KEY) in caught.value.message
    assert "dayfly prune" in caught.value.advice


@pytest.mark.parametrize(
    ("state", "reason", "phase", "ended"),
    [
        (JobState.PENDING, None, "PENDING_BUILD", False),
        (JobState.RUNNING, None, "DEPLOYING", False),
        (JobState.SUCCEEDED, Reason.COMPLETED, "DEPLOYING", True),
        (JobState.FAILED, Reason.EXITED_NONZERO, "ERROR", True),
        (JobState.UNKNOWN, Reason.LOST, "", True),
        # It cannot be told how it ended, but that it did.
        (JobState.UNKNOWN, None, "SUPERSEDED", True),
        (JobState.UNKNOWN, None, "UNKNOWN", False),
        # The invocation says that it runs still.
        (JobState.RUNNING, None, "ACTIVE", False),
        (JobState.PENDING, None, "CANCELED", False),
    ],
)
def test_what_has_ended(state: JobState, reason: Reason | None, phase: str, *, ended: bool) -> None:
    status = JobStatus(handle=HANDLE, state=state, reason=reason)
    assert Seen(place=PLACE, status=status, phase=phase).ended is ended


def slots(slot: str, phase: str, deployment: str = DEPLOYMENT) -> dict[str, Any]:
    return app(**{slot: {"id": deployment, "phase": phase}})


@pytest.mark.parametrize(
    ("fields", "row", "state"),
    [
        ({}, slots("pending_deployment", "PENDING_BUILD"), JobState.PENDING),
        ({}, slots("in_progress_deployment", "DEPLOYING"), JobState.PENDING),
        # The end is looked at by its id, with both witnesses.
        ({}, slots("active_deployment", "ACTIVE"), None),
        ({}, slots("in_progress_deployment", "ERROR"), None),
        ({}, slots("pending_deployment", "UNKNOWN"), None),
        # Another's deployment says nothing of this job.
        ({}, slots("in_progress_deployment", "DEPLOYING", "another"), None),
        ({}, app(), None),
        ({}, {}, None),
        ({"deployment": ""}, slots("pending_deployment", "PENDING_BUILD"), None),
        ({"mode": Mode.CLONE}, slots("pending_deployment", "PENDING_BUILD"), None),
    ],
)
def test_what_a_list_says(
    fields: dict[str, Any], row: dict[str, Any], state: JobState | None
) -> None:
    going = under_way(HANDLE, place(**({"deployment": DEPLOYMENT} | fields)), row)
    assert (going and going.state) == state
