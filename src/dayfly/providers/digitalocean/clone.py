"""Attached clone: a job added to another's app, which deploys the app and so runs the job.

A component left in an app would run on each later deployment. So its handle is told before
the app is changed, and its name is made from the key: whoever looks finds it.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import AlreadyExists, InvalidField
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import Progress, Submitted
from dayfly.providers.digitalocean import component as components
from dayfly.providers.digitalocean.answers import name_of, slot_id, time_in
from dayfly.providers.digitalocean.handles import Mode, Place
from dayfly.providers.digitalocean.launch import prepare
from dayfly.providers.digitalocean.own import own_components, own_name, sentinel_in
from dayfly.providers.digitalocean.targets import (
    check_target,
    find_target,
    refuse_busy,
    refuse_drift,
    refuse_leftovers,
    the_app,
)
from dayfly.providers.digitalocean.variables import INTENT, mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dayfly.contract.jobs import JobHandle, JobSpec, Submission
    from dayfly.providers.digitalocean.session import Session

EFFECT: Final = (
    "an attached clone changes the app's spec twice, and deploys the whole app each time: "
    "once with the job, once to take it out"
)


def check_clone(spec: JobSpec) -> None:
    """Refuse a clone without consent, and one of a part of an app.

    Raises:
        InvalidField: ``allow_redeploy`` is not given, or the target names a component.
    """
    check_target(spec.target, EFFECT)
    for field in ("name", "provider_id"):
        if "/" in getattr(spec.target, field):
            raise InvalidField(
                f"target.{field} names a component, and a clone is added to a whole app",
                field=f"target.{field}",
                advice="Name the app alone.",
            )


async def clone(
    session: Session, submission: Submission, report: Callable[[Progress], None]
) -> Submitted:
    """Add the job to its target, or adopt the one that the key has there.

    Raises:
        AlreadyExists: The key's component was made for another job.
        Conflict: The target is being deployed, has another run's job in it, or was changed by
            another meanwhile.
        InvalidField: A field cannot be carried out; nothing was changed.
    """
    check_clone(submission.spec)
    named = components.check(submission.spec, session.config)
    target, _ = await find_target(session.apps, submission.spec.target)
    image, values = await prepare(session, submission, named)
    name = own_name(submission.key)
    made = components.component(submission, session.config, image, values, name=name)
    async with session.turns.of(str(target["id"])):
        app = await the_app(session.apps, str(target["id"]))
        there = next((job for job in own_components(app) if job.get("name") == name), None)
        if there is not None:
            return await _adopt(session, submission, app, there)
        refuse_busy(app, name_of(app))
        refuse_leftovers(app, name_of(app))
        place = replace(_place(app, name), sentinel=sentinel_in(made), created=datetime.now(UTC))
        spec = copy.deepcopy(app["spec"])
        spec["jobs"] = [*(spec.get("jobs") or ()), made]
        await refuse_drift(session.apps, app)
        detail = f"to {place.name}, as its job {name}"
        report(Progress(phase="attaching", detail=detail, handle=place.handle()))
        changed = await session.apps.update(place.app, spec)
    placed = replace(place, deployment=slot_id(changed, "pending_deployment"))
    said = components.notes(submission.spec, session.config, named, image)
    return Submitted(
        handle=placed.handle(), notes=(*said, f"The whole app {place.name} is deployed.")
    )


async def handle_in(session: Session, app: Mapping[str, Any], job: Mapping[str, Any]) -> JobHandle:
    """The handle of a component that was found in an app."""
    place = replace(_place(app, str(job["name"])), sentinel=sentinel_in(job))
    return replace(place, deployment=await session.witnesses.deployment_of(place)).handle()


async def _adopt(
    session: Session, submission: Submission, app: Mapping[str, Any], job: Mapping[str, Any]
) -> Submitted:
    if mark(job, INTENT) != intent_digest(submission.spec):
        raise AlreadyExists(
            f"the key already has the job {job['name']} of the app {name_of(app)}, which was "
            "made for a different job",
            field="key",
            advice="Use a new key for a new job, or the same job with this key.",
        )
    return Submitted(handle=await handle_in(session, app, job), adopted=True)


def _place(app: Mapping[str, Any], name: str) -> Place:
    return Place(
        app=str(app.get("id", "")),
        name=name_of(app),
        component=name,
        mode=Mode.CLONE,
        account=str(app.get("owner_uuid", "")),
        created=time_in(app, "updated_at"),
        mark=name,
    )
