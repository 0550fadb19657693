"""Why a job failed: what the steps of its deployment say.

Source: DigitalOcean's OpenAPI definition, apps_deployment_progress_step. Steps have steps;
``reason.code`` is a word of which no list is published [?].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Reason codes of steps. The first was seen in use, often; the others are believed [?].
_REASONS: Final[dict[str, Reason]] = {
    "DeployContainerExitNonZero": Reason.EXITED_NONZERO,
    "DeployContainerOOMKilled": Reason.OUT_OF_MEMORY,
    "DeployImagePullError": Reason.IMAGE_UNAVAILABLE,
    "ImagePullBackOff": Reason.IMAGE_UNAVAILABLE,
    "ErrImagePull": Reason.IMAGE_UNAVAILABLE,
    "ImageNotFound": Reason.IMAGE_UNAVAILABLE,
    "ImageDoesNotExist": Reason.IMAGE_UNAVAILABLE,
    "PreDeployJobTimedOut": Reason.TIMED_OUT,
}
_NOT_BEGUN: Final = frozenset({"", "PENDING", "UNKNOWN"})


def failure(component: str, deployment: Mapping[str, Any]) -> tuple[Reason | None, str]:
    """What the job's own failed steps say; no reason where that says nothing of the job."""
    said = ""
    for step in steps_of(deployment, component):
        if step.get("status") != "ERROR":
            continue
        code, words = _told(step)
        if reason := _REASONS.get(code):
            return reason, f"{code}: {words}" if words else code
        said = said or ": ".join(filter(None, (code, words)))
    return None, said


def has_begun(component: str, deployment: Mapping[str, Any]) -> bool:
    """A step of the job's was at work."""
    return any(
        str(step.get("status") or "") not in _NOT_BEGUN for step in steps_of(deployment, component)
    )


def is_running(component: str, deployment: Mapping[str, Any]) -> bool:
    """A step of the job's is at work now."""
    return any(step.get("status") == "RUNNING" for step in steps_of(deployment, component))


def first_error(deployment: Mapping[str, Any]) -> str:
    """Which step of all failed first, and why; empty where none says."""
    for step in _steps((deployment.get("progress") or {}).get("steps")):
        code, words = _told(step)
        if step.get("status") == "ERROR" and code:
            name = step.get("component_name") or step.get("name", "")
            return ": ".join(filter(None, (str(name), code, words)))
    return ""


def seen_of(component: str, deployment: Mapping[str, Any]) -> list[str]:
    """The job's steps in DigitalOcean's own words, as ``name=status/code``."""
    words = []
    for step in steps_of(deployment, component):
        code, _ = _told(step)
        status = f"{step.get('status', '?')}{f'/{code}' if code else ''}"
        words.append(f"{step.get('name', 'step')}={status}")
    return words


def steps_of(deployment: Mapping[str, Any], component: str) -> list[Mapping[str, Any]]:
    """The steps of a component, the innermost first: they know most."""
    steps = _steps((deployment.get("progress") or {}).get("steps"))
    return [step for step in steps if step.get("component_name") == component][::-1]


def _steps(steps: Any) -> Iterator[Mapping[str, Any]]:
    for step in steps or ():
        if isinstance(step, dict):
            yield step
            yield from _steps(step.get("steps"))


def _told(step: Mapping[str, Any]) -> tuple[str, str]:
    told = step.get("reason") or {}
    return str(told.get("code", "")), str(told.get("message", ""))
