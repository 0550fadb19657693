"""What two witnesses say of a job, as a status: its invocation, its deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.contract.jobs import ExitCodeSource, JobStatus
from dayfly.providers.digitalocean.answers import time_in
from dayfly.providers.digitalocean.failures import seen_of, steps_of
from dayfly.providers.digitalocean.verdicts import ENDED, judge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from dayfly.contract.jobs import JobHandle


def status(
    handle: JobHandle,
    component: str,
    invocation: Mapping[str, Any] | None,
    deployment: Mapping[str, Any] | None,
) -> JobStatus:
    """What the witnesses say of a job.

    Args:
        handle: The job.
        component: Its component.
        invocation: The one of this component in this deployment, or None.
        deployment: The deployment by its id, or None where DigitalOcean has none.
    """
    verdict = judge(component, invocation, deployment)
    steps = steps_of(deployment or {}, component)
    witness, place = (
        (invocation, "completed_at") if invocation else (next(iter(steps), {}), "ended_at")
    )
    started = time_in(witness, "started_at")
    ended = time_in(witness, place) or _ended(deployment or {})
    if started and ended:
        ended = max(started, ended)
    return JobStatus(
        handle=handle,
        state=verdict.state,
        exit_code=0 if verdict.succeeded else None,
        exit_code_source=ExitCodeSource.INFERRED if verdict.succeeded else ExitCodeSource.UNKNOWN,
        reason=verdict.reason,
        message=verdict.message,
        evidence=_evidence(component, invocation, deployment),
        created=time_in(deployment or invocation, "created_at"),
        started=started,
        ended=ended if verdict.reason is not None else None,
    )


def _ended(deployment: Mapping[str, Any]) -> datetime | None:
    if deployment.get("phase") not in ENDED:
        return None
    return time_in(deployment, "phase_last_updated_at") or time_in(deployment, "updated_at")


def _evidence(
    component: str, invocation: Mapping[str, Any] | None, deployment: Mapping[str, Any] | None
) -> str:
    seen = f"{invocation.get('phase')} ({invocation.get('id')})" if invocation else "none"
    phase = deployment.get("phase", "?") if deployment else "none"
    words = [f"invocation={seen}", f"deployment={phase}", *seen_of(component, deployment or {})]
    return " ".join(words)
