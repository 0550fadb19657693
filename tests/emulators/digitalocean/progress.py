"""Steps within steps, as the definition's example of a deployment has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulators.digitalocean.deployments import Deployment


def progress(deployment: Deployment) -> dict[str, Any]:
    """What a deployment has done and has to do."""
    built = _begun(deployment, "PENDING_DEPLOY", "BUILDING")
    deployed = _begun(deployment, "ACTIVE", "DEPLOYING")
    if deployment.phase == "ERROR":
        deployed = "ERROR"
    steps = [
        {"name": "build", "status": built, "steps": [{"name": "initialize", "status": built}]},
        {"name": "deploy", "status": deployed, "steps": _deploy(deployment, deployed)},
    ]
    leaves = [str(leaf["status"]) for leaf in _leaves(steps)]
    counts = {
        f"{status.lower()}_steps": leaves.count(status)
        for status in ("PENDING", "RUNNING", "SUCCESS", "ERROR")
    }
    summary = [{"name": one["name"], "status": one["status"]} for one in steps]
    return {**counts, "total_steps": len(leaves), "steps": steps, "summary_steps": summary}


def _deploy(deployment: Deployment, status: str) -> list[dict[str, Any]]:
    components = [_job(deployment, job) for job in deployment.spec.get("jobs") or ()]
    for name, how in deployment.services.items():
        one: dict[str, Any] = {"name": name, "status": how, "component_name": name}
        if how == "ERROR":
            one["reason"] = {
                "code": "DeployContainerHealthChecksFailed",
                "message": "the container did not respond to health checks",
            }
        components.append({**one, "steps": [{**one, "name": "wait"}]})
    begun = "SUCCESS" if deployment.reached("DEPLOYING") else "PENDING"
    return [
        {"name": "initialize", "status": begun},
        {"name": "components", "status": status, "steps": components},
        {"name": "finalize", "status": "SUCCESS" if status == "SUCCESS" else "PENDING"},
    ]


def _job(deployment: Deployment, job: dict[str, Any]) -> dict[str, Any]:
    run = deployment.runs.get(str(job["name"]))
    if run is None:
        return {"name": job["name"], "status": "PENDING", "component_name": job["name"]}
    return run.step()


def _begun(deployment: Deployment, after: str, during: str) -> str:
    if deployment.reached(after):
        return "SUCCESS"
    return "RUNNING" if deployment.reached(during) else "PENDING"


def _leaves(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        if step.get("steps"):
            yield from _leaves(step["steps"])
        else:
            yield step
