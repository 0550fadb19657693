"""Deployments and invocations, as the API has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.emulators.digitalocean.apps import find_app
from tests.emulators.digitalocean.errors import ApiError, not_found
from tests.emulators.digitalocean.paging import page

if TYPE_CHECKING:
    from tests.emulators.digitalocean.calls import Call
    from tests.emulators.digitalocean.deployments import Deployment
    from tests.emulators.digitalocean.runs import Run


def find_deployment(call: Call) -> Deployment:
    """The deployment of a request's path.

    Raises:
        ApiError: There is none.
    """
    wanted = call.path["deployment"]
    return (
        next((one for one in find_app(call).deployments if one.id == wanted), None) or not_found()
    )


def find_run(call: Call) -> Run:
    """The run of a request's invocation.

    Raises:
        ApiError: There is none.
    """
    app = find_app(call)
    run = call.account.runs.get(call.path["invocation"])
    job = call.path.get("job") or call.query.get("job_name", "")
    if run is None or run.app != app.id or not run.visible() or (job and run.name != job):
        not_found()
    return run


def list_deployments(call: Call) -> dict[str, Any]:
    """apps_list_deployments: the newest first."""
    rows, more = page(find_app(call).deployments[::-1], call.query, call.url)
    return {"deployments": [one.shown() for one in rows], **more}


def create_deployment(call: Call) -> dict[str, Any]:
    """apps_create_deployment: the app as it is, again."""
    return {"deployment": call.account.deploy(find_app(call), "manual").shown()}


def get_deployment(call: Call) -> dict[str, Any]:
    """apps_get_deployment."""
    return {"deployment": find_deployment(call).shown()}


def cancel_deployment(call: Call) -> dict[str, Any]:
    """apps_cancel_deployment."""
    deployment = find_deployment(call)
    if deployment.ended:
        raise ApiError(400, f"deployment is {deployment.phase} and cannot be cancelled")
    deployment.end_as("CANCELED")
    return {"deployment": deployment.shown()}


def list_invocations(call: Call) -> dict[str, Any]:
    """apps_list_job_invocations: the newest first."""
    app, names = find_app(call), call.query.getall("job_names", [])
    deployment = call.query.get("deployment_id", "")
    rows = [
        run
        for one in reversed(app.deployments)
        for run in one.runs.values()
        if run.visible()
        and (not deployment or one.id == deployment)
        and (not names or run.name in names)
    ]
    found, more = page(rows, call.query, call.url)
    return {"job_invocations": [run.invocation() for run in found], "links": more["links"]}


def get_invocation(call: Call) -> dict[str, Any]:
    """apps_get_job_invocation."""
    return find_run(call).invocation()


def cancel_invocation(call: Call) -> dict[str, Any]:
    """apps_cancel_job_invocation."""
    run = find_run(call)
    knobs = call.account.knobs
    if not knobs.invocation_cancel:
        raise ApiError(knobs.invocation_cancel_status, "job invocation cannot be cancelled")
    if run.ended is not None:
        raise ApiError(400, "job invocation is not running")
    run.cancelled = True
    run.stop.set()
    return run.invocation()
