"""Apps: made, found, changed and removed."""

from __future__ import annotations

import re
import shlex
import uuid
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.digitalocean import clock
from tests.emulators.digitalocean.account import App
from tests.emulators.digitalocean.errors import ApiError, not_found
from tests.emulators.digitalocean.paging import page
from tests.emulators.digitalocean.places import REGIONS
from tests.emulators.digitalocean.variables import components

if TYPE_CHECKING:
    from tests.emulators.digitalocean.calls import Call

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
_SLOTS: Final = ("pending_deployment", "in_progress_deployment", "active_deployment")


def find_app(call: Call) -> App:
    """The app of a request's path.

    Raises:
        ApiError: There is none, or it is not to be seen yet.
    """
    app = call.account.apps.get(call.path["app"])
    if app is None or clock.now() < app.visible_at:
        not_found()
    return app


def create(call: Call) -> dict[str, Any]:
    """apps_create."""
    account, knobs = call.account, call.account.knobs
    spec = _checked(call)
    if any(app.name == spec["name"] for app in account.apps.values()):
        words = f"app name {spec['name']!r} already exists"
        raise ApiError(knobs.name_taken_status, words)
    id_ = str(uuid.uuid4())
    spec = {"region": "fra", **account.vault.seal_spec(id_, spec)}
    app = App(
        id=id_,
        spec=spec,
        visible_at=clock.now() + knobs.missing_seconds,
        project=str(call.body.get("project_id", "")),
    )
    account.apps[id_] = app
    account.deploy(app, "initial deployment")
    return {"app": _answered(call, app)}


def update(call: Call) -> dict[str, Any]:
    """apps_update: it is deployed, also where nothing changed."""
    app, account = find_app(call), call.account
    spec = _checked(call)
    if any(one.name == spec["name"] for one in account.apps.values() if one is not app):
        raise ApiError(account.knobs.name_taken_status, "app name already exists")
    app.spec = {"region": "fra", **account.vault.seal_spec(app.id, spec)}
    app.updated_at = clock.now()
    account.deploy(app, "app spec updated")
    return {"app": _answered(call, app)}


def get(call: Call) -> dict[str, Any]:
    """apps_get."""
    return {"app": shown(call, find_app(call))}


def list_all(call: Call) -> dict[str, Any]:
    """apps_list: the newest first."""
    there = [app for app in call.account.apps.values() if clock.now() >= app.visible_at]
    rows, more = page(there[::-1], call.query, call.url)
    return {"apps": [shown(call, app) for app in rows], **more}


def delete(call: Call) -> dict[str, Any]:
    """apps_delete: also one that is being deployed."""
    app = find_app(call)
    call.account.remove(app)
    return {"id": app.id}


def shown(call: Call, app: App) -> dict[str, Any]:
    """As the API shows it."""
    knobs = call.account.knobs
    region = {"slug": app.spec["region"], "label": REGIONS[app.spec["region"]][0]}
    found: dict[str, Any] = {
        "id": app.id,
        "owner_uuid": call.account.id,
        "spec": app.spec,
        "default_ingress": f"https://{app.name}.emulated",
        "created_at": clock.coarse(app.created_at, knobs),
        "updated_at": clock.coarse(app.updated_at, knobs),
        "region": region,
        "tier_slug": "basic",
        "project_id": app.project,
    }
    if app.deployments:
        last = app.deployments[-1].created_at
        found["last_deployment_created_at"] = clock.coarse(last, knobs)
    for slot in _SLOTS:
        if deployment := app.in_slot(slot):
            found[slot] = deployment.shown()
    return found


def _answered(call: Call, app: App) -> dict[str, Any]:
    found = shown(call, app)
    if not call.account.knobs.pending_in_answer:
        found.pop("pending_deployment", None)
    return found


def _checked(call: Call) -> dict[str, Any]:
    """The spec, as far as the API itself judges it."""
    spec = call.body.get("spec")
    if not isinstance(spec, dict) or not _NAME.fullmatch(str(spec.get("name", ""))):
        raise ApiError(400, "spec.name: invalid app name")
    found = list(components(spec))
    names = [str(one.get("name", "")) for _, one in found]
    if bad := [name for name in names if not _NAME.fullmatch(name)]:
        raise ApiError(400, f"invalid component name {bad[0]!r}")
    if len(set(names)) < len(names):
        raise ApiError(400, "component names must be unique")
    if not found or (not call.account.knobs.jobs_only and all(kind == "jobs" for kind, _ in found)):
        raise ApiError(400, "app spec must contain at least one service, static site or worker")
    for _, one in found:
        try:
            shlex.split(str(one.get("run_command", "")))
        except ValueError as error:
            raise ApiError(400, f"run_command of {one['name']}: {error}") from error
    if (region := spec.get("region")) and region in call.account.knobs.disabled_regions:
        raise ApiError(400, f"region {region} is not available")
    return spec
