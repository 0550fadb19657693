"""From the words of two witnesses to a verdict: a table, and what it needs of steps.

A matching invocation wins. An exit code is given where it follows: 0 for a success, and
that is inferred; DigitalOcean gives none anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.jobs import JobState, Reason
from dayfly.providers.digitalocean.answers import jobs_of, time_in
from dayfly.providers.digitalocean.failures import (
    failure,
    first_error,
    has_begun,
    is_running,
    steps_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PRE_DEPLOY: Final = "PRE_DEPLOY"
#: Phases after which a deployment changes no more, but that ACTIVE becomes SUPERSEDED.
ENDED: Final = frozenset({"ACTIVE", "SUPERSEDED", "ERROR", "CANCELED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from the witnesses.

    Attributes:
        state: Where the job stands.
        reason: Why; None while there is nothing to explain.
        message: One line for a person.
        succeeded: The exit code is 0, by inference.
    """

    state: JobState
    reason: Reason | None = None
    message: str = ""
    succeeded: bool = False


_SUCCEEDED: Final = Verdict(state=JobState.SUCCEEDED, reason=Reason.COMPLETED, succeeded=True)
_CANCELLED: Final = Verdict(
    state=JobState.CANCELLED, reason=Reason.CANCELLED, message="cancelled at DigitalOcean"
)
#: What the phase of an invocation says alone; UNKNOWN, or a word that is new, says nothing.
_BY_INVOCATION: Final[dict[object, Verdict]] = {
    "PENDING": Verdict(state=JobState.PENDING),
    "RUNNING": Verdict(state=JobState.RUNNING),
    "SUCCEEDED": _SUCCEEDED,
    "CANCELED": _CANCELLED,
    "SKIPPED": Verdict(
        state=JobState.FAILED,
        reason=Reason.NEVER_STARTED,
        message="DigitalOcean skipped the job",
    ),
}
#: What the phase of a deployment says alone.
_BY_DEPLOYMENT: Final[dict[object, Verdict]] = {
    "PENDING_BUILD": Verdict(state=JobState.PENDING, message="pending_build"),
    "BUILDING": Verdict(state=JobState.PENDING, message="building"),
    "PENDING_DEPLOY": Verdict(state=JobState.PENDING, message="pending_deploy"),
    "CANCELED": _CANCELLED,
    "SUPERSEDED": Verdict(
        state=JobState.UNKNOWN,
        message="a later deployment took this one's place, and DigitalOcean does not say "
        "whether the job ran",
    ),
}


def judge(
    component: str, invocation: Mapping[str, Any] | None, deployment: Mapping[str, Any] | None
) -> Verdict:
    """The invocation's word where it has one, the deployment's where it has not."""
    phase = (invocation or {}).get("phase")
    if invocation is not None and phase == "FAILED":
        return _failed_invocation(component, invocation, deployment or {})
    return _BY_INVOCATION.get(phase) or _judge_deployment(component, deployment)


def _judge_deployment(component: str, deployment: Mapping[str, Any] | None) -> Verdict:
    if deployment is None:
        return Verdict(state=JobState.UNKNOWN, message="DigitalOcean has no such deployment")
    match deployment.get("phase"):
        case "DEPLOYING":
            running = is_running(component, deployment)
            return Verdict(state=JobState.RUNNING if running else JobState.PENDING)
        case "ACTIVE":
            return _active(component, deployment)
        case "ERROR":
            return _failed_deployment(component, deployment)
        case phase:
            said = f"DigitalOcean says {phase or 'nothing'} of the deployment"
            return _BY_DEPLOYMENT.get(phase) or Verdict(state=JobState.UNKNOWN, message=said)


def _active(component: str, deployment: Mapping[str, Any]) -> Verdict:
    kinds = [job.get("kind") for job in jobs_of(deployment) if job.get("name") == component]
    if kinds == [PRE_DEPLOY]:
        return _SUCCEEDED
    kind = str((kinds or ["?"])[0])
    return Verdict(
        state=JobState.UNKNOWN,
        message=f"the deployment is active, which says nothing of a job of kind {kind}",
    )


def _failed_invocation(
    component: str, invocation: Mapping[str, Any], deployment: Mapping[str, Any]
) -> Verdict:
    reason, said = failure(component, deployment)
    if reason is None and deployment.get("phase", "ERROR") not in ENDED:
        # Its deployment is a moment behind, and says why.
        return Verdict(state=JobState.RUNNING, message="it failed; why is not said yet")
    began = time_in(invocation, "started_at") is not None or has_begun(component, deployment)
    return Verdict(
        state=JobState.FAILED,
        # Where it ran, that it failed is all that is known of its exit code.
        reason=reason or (Reason.EXITED_NONZERO if began else Reason.NEVER_STARTED),
        message=said or "DigitalOcean says that it failed, and no exit code",
    )


def _failed_deployment(component: str, deployment: Mapping[str, Any]) -> Verdict:
    reason, said = failure(component, deployment)
    if reason is not None:
        return Verdict(state=JobState.FAILED, reason=reason, message=said)
    steps = steps_of(deployment, component)
    # Without steps of its own it cannot be told whether it ran.
    waited = bool(steps) and not has_begun(component, deployment)
    where = said or first_error(deployment) or "DigitalOcean does not say where"
    done = any(step.get("status") == "SUCCESS" for step in steps)
    ran = "a step of the job's had succeeded" if done else "the job may not have run"
    return Verdict(
        state=JobState.FAILED,
        reason=Reason.NEVER_STARTED if waited else Reason.PROVIDER_ERROR,
        message=f"the deployment failed; {ran}: {where}",
    )
