"""The app that a job is attached to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import Conflict, InvalidField, NotFound
from dayfly.providers.digitalocean.answers import jobs_of, name_of
from dayfly.providers.digitalocean.own import own_components
from dayfly.providers.digitalocean.verdicts import ENDED, PRE_DEPLOY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobTarget
    from dayfly.providers.digitalocean.apps import Apps

_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check_target(target: JobTarget, what: str) -> None:
    """Refuse a launch that changes the target without its owner's consent.

    Raises:
        InvalidField: ``allow_redeploy`` is not given.
    """
    if not target.allow_redeploy:
        raise InvalidField(
            f"target.allow_redeploy is false, and {what}",
            field="target.allow_redeploy",
            advice="Give --allow-redeploy where that is meant.",
        )


async def find_target(apps: Apps, target: JobTarget) -> tuple[dict[str, Any], str]:
    """The target's app, and the component that its name or id has after a ``/``.

    Raises:
        NotFound: There is no such app.
        InvalidField: The id is none, or is the one of an app of another name.
    """
    name, _, component = target.name.partition("/")
    app_id, _, part = target.provider_id.partition("/")
    field = "target.provider_id" if app_id else "target.name"
    if app_id and not _is_id(app_id):
        raise InvalidField(f"{field} is {app_id!r}; allowed: the id of an app", field=field)
    if not app_id and _is_id(name):
        name, app_id = "", name
    app = await apps.get(app_id) if app_id else await apps.named(name)
    if app is None:
        raise NotFound(
            f"{field} is {app_id or name!r}, and there is no such app",
            field=field,
            advice="`doctl apps list` shows names and ids.",
        )
    if name and name_of(app) != name:
        raise InvalidField(
            f"target.name is {name!r}, and the app {app_id} has the name {name_of(app)!r}",
            field="target.name",
        )
    return app, component or part


def job_component(app: Mapping[str, Any], wanted: str) -> str:
    """The deploy-time job that an attached run is about.

    Raises:
        InvalidField: There is none, or several and none is named.
    """
    jobs = [str(job.get("name", "")) for job in jobs_of(app) if job.get("kind") == PRE_DEPLOY]
    if wanted in jobs:
        return wanted
    if not wanted and len(jobs) == 1:
        return jobs[0]
    there = ", ".join(jobs) or "none"
    raise InvalidField(
        f"target.name names {wanted or 'no component'!r}; the app's jobs of kind {PRE_DEPLOY}: "
        f"{there}",
        field="target.name",
        advice="Name one of them: APP/COMPONENT. Of other kinds of job it is not told how "
        "they end.",
    )


def refuse_busy(app: Mapping[str, Any], name: str) -> None:
    """Leave an app alone while it is deployed: a second deployment would cancel the first.

    Raises:
        Conflict: A deployment is in progress.
    """
    for slot in ("pending_deployment", "in_progress_deployment"):
        row = app.get(slot) or {}
        if row.get("id") and row.get("phase") not in ENDED:
            raise Conflict(
                f"the app {name} is being deployed ({row['id']} is {row.get('phase')}), and "
                "another deployment would cancel that one"
            )


def refuse_leftovers(app: Mapping[str, Any], name: str) -> None:
    """Leave an app alone that has a job of dayfly's in it: a deployment would run it again.

    Raises:
        Conflict: It has one. Whoever launched it may be about to take it out.
    """
    if left := [str(job["name"]) for job in own_components(app)]:
        raise Conflict(
            f"the app {name} still has {', '.join(left)} of an earlier run in it, which another "
            "deployment would run again",
            advice="Take it out first: `dayfly rm` or `dayfly prune`.",
        )


async def the_app(apps: Apps, app_id: str) -> dict[str, Any]:
    """An app as it is now.

    Raises:
        NotFound: It is gone.
    """
    app = await apps.get(app_id)
    if app is None:
        raise NotFound(f"there is no app {app_id} any more", field="target.name")
    return app


async def refuse_drift(apps: Apps, app: Mapping[str, Any]) -> None:
    """Go on only where an app still is as it was read.

    Between this look and the change lies one request, in which another's change would be
    undone; DigitalOcean has no condition for an update.

    Raises:
        Conflict: It was changed meanwhile, or is being deployed.
    """
    now = await the_app(apps, str(app["id"]))
    refuse_busy(now, name_of(now))
    same = _unsealed(now.get("spec")) == _unsealed(app.get("spec"))
    if not same or now.get("updated_at") != app.get("updated_at"):
        raise Conflict(f"the app {name_of(app)} was changed by another while it was read")


def _unsealed(part: Any) -> Any:
    """A spec without what is encrypted in it, which may look another way each time [?]."""
    if isinstance(part, dict):
        return {name: _unsealed(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_unsealed(value) for value in part]
    return "EV" if isinstance(part, str) and part.startswith("EV[") else part


def _is_id(text: str) -> bool:
    return bool(_ID.fullmatch(text))
