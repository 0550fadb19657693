"""From a deployment's beginning to its end, and what its jobs do on the way."""

from __future__ import annotations

import asyncio
import re
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.emulators.digitalocean.executors import EXECUTORS
from tests.emulators.digitalocean.executors.order import Ended, Order
from tests.emulators.digitalocean.runs import Run
from tests.emulators.digitalocean.variables import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.emulators.digitalocean.account import Account
    from tests.emulators.digitalocean.deployments import Deployment

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


async def live(account: Account, deployment: Deployment) -> None:
    """Lead a deployment to its end."""
    try:
        phase = await _go(account, deployment)
        if deployment.phase != phase:
            deployment.enter(phase)
        account.settle(deployment)
        kind = {"ACTIVE": "POST_DEPLOY", "ERROR": "FAILED_DEPLOY"}.get(phase)
        if kind:
            await _jobs(account, deployment, kind)
    finally:
        for run in deployment.runs.values():
            run.output.close()
        deployment.done.set()
    await account.forget(deployment)


async def _go(account: Account, deployment: Deployment) -> str:
    knobs = deployment.knobs
    for phase, seconds in (
        ("PENDING_BUILD", knobs.pending_build_seconds),
        ("BUILDING", knobs.building_seconds),
        ("PENDING_DEPLOY", knobs.pending_deploy_seconds),
    ):
        if phase == "BUILDING" and not seconds:
            continue
        if phase != "PENDING_BUILD":  # which it was made in
            deployment.enter(phase)
        if await _stopped(deployment, seconds):
            return deployment.wanted
        deployment.slot = "in_progress_deployment"
    deployment.enter("DEPLOYING")
    await _jobs(account, deployment, "PRE_DEPLOY")
    failed = [run for run in deployment.runs.values() if run.status == "ERROR"]
    if deployment.wanted:
        return deployment.wanted
    if any(run.cancelled for run in failed):
        return knobs.invocation_cancelled_phase
    if failed:
        return "ERROR"
    return await _services(deployment)


async def _services(deployment: Deployment) -> str:
    names = [str(one["name"]) for one in deployment.spec.get("services") or ()]
    deployment.services = dict.fromkeys(names, "RUNNING")
    if names and await _stopped(deployment, deployment.knobs.service_seconds):
        return deployment.wanted
    for name in names:
        failing = name in deployment.knobs.failing_services
        deployment.services[name] = "ERROR" if failing else "SUCCESS"
    return "ERROR" if "ERROR" in deployment.services.values() else "ACTIVE"


async def _jobs(account: Account, deployment: Deployment, kind: str) -> None:
    """All jobs of a kind, at once."""
    runs = []
    for job in deployment.spec.get("jobs") or ():
        if job.get("kind") == kind:
            run = Run(app=deployment.app, deployment=deployment.id, job=job, knobs=deployment.knobs)
            deployment.runs[run.name] = account.runs[run.id] = run
            runs.append(run)
    await asyncio.gather(*(_run(account, deployment, run) for run in runs))


async def _run(account: Account, deployment: Deployment, run: Run) -> None:
    knobs, image = deployment.knobs, run.job.get("image") or {}
    repository = "/".join(filter(None, (image.get("registry"), image.get("repository", "job"))))
    env = environment(account.vault, knobs, deployment.app, deployment.spec, run.job)
    order = Order(
        id=run.id,
        repository=repository,
        image=knobs.local_images.get(repository) or knobs.local_images["*"],
        argv=_argv(str(run.job.get("run_command", "")), shell=knobs.run_command_shell),
        env=env,
        grace_seconds=float((run.job.get("termination") or {}).get("grace_period_seconds", 120)),
        default_run_seconds=knobs.default_run_seconds,
        output=run.output,
        stop=asyncio.Event(),
        started=run.begin,
    )
    if repository in knobs.missing_images:
        run.end(Ended(exit_code=None, code="DeployImagePullError", message="no such image"))
        return
    watch = asyncio.create_task(_watch(run, order, _timeout(run.job, knobs.job_timeout_seconds)))
    try:
        ended = await EXECUTORS[knobs.executor](order)
    finally:
        watch.cancel()
    if order.stop.is_set() and not run.stop.is_set():
        ended = Ended(exit_code=ended.exit_code, code="PreDeployJobTimedOut", message="too long")
    run.end(ended)


async def _watch(run: Run, order: Order, seconds: float) -> None:
    """Pass a stop on to the container, or stop it for its time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await run.stop.wait()
    order.stop.set()


def _argv(command: str, *, shell: bool) -> list[str]:
    if not command:
        return []
    return ["/bin/sh", "-c", command] if shell else shlex.split(command)


def _timeout(job: Mapping[str, Any], default: float) -> float:
    """``timeout`` of a job, as Go writes durations."""
    text = str(job.get("timeout", ""))
    parts = re.findall(r"([\d.]+)([smh])", text)
    return sum(float(number) * _UNITS[unit] for number, unit in parts) or default


async def _stopped(deployment: Deployment, seconds: float) -> bool:
    """Wait; True where it was asked to end."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await deployment.stopping.wait()
    return deployment.stopping.is_set()
