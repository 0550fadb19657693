"""What the provider says of itself, and what it launches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.jobs import TargetMode
from dayfly.contract.provider import Description, JobPlan, PlannedCall
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dayfly.contract.jobs import JobHandle, Progress, Submission, Submitted
    from dayfly.contract.provider import Check
    from dayfly.providers.digitalocean.session import Session

HONOURS: Final = frozenset(
    {
        "image",
        "command",
        "run_command",
        "env",
        "secrets",
        "resources.cpus",
        "resources.memory_mib",
        "grace_period_seconds",
        "labels",
        "target.mode",
        "target.name",
        "target.provider_id",
        "target.allow_redeploy",
    }
)
_LIMITS: Final = {
    "image": "of docker.io, ghcr.io or registry.digitalocean.com",
    "env": "letters, digits and '_' in names; no '${' in values",
    "resources.cpus": "1, 2, 4 or 8; less is rounded up",
    "resources.memory_mib": "512 to 32768, of the sizes that App Platform sells; rounded up",
    "grace_period_seconds": "1 to 600; 120 where none is given",
    "target.name": "an app, or APP/COMPONENT for an attached run",
    "timeout_seconds": "kept by dayfly; App Platform itself ends a deploy-time job after 30 "
    "minutes",
}


class Submitter:
    """Launches jobs (``dayfly.v1.Submit``)."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def describe(self) -> Description:
        """What can be honoured; DigitalOcean is not asked."""
        from dayfly.providers.digitalocean import clone, rerun  # noqa: PLC0415 - after the handshake

        return Description(
            provider="digitalocean",
            version=__version__,
            honours=HONOURS,
            limits=_LIMITS,
            side_effects=(
                "Owned: makes an app for the run, and deletes it after it.",
                f"Attached clone: {clone.EFFECT}.",
                f"Attached run: {rerun.EFFECT}.",
            ),
            secret_forms=self._session.secret_forms,
            separates_streams=False,
            statuses_per_call=200,
            calls_per_second=1.0,
            visibility_grace_seconds=60.0,
            log_drain_seconds=self._session.config.log_drain_seconds,
            poll_min_seconds=2.0,
            poll_max_seconds=15.0,
        )

    async def check(self) -> Sequence[Check]:
        """Whom DigitalOcean sees, and whether what the configuration names is there."""
        from dayfly.providers.digitalocean.checks import run_checks  # noqa: PLC0415 - for doctor

        return await run_checks(self._session)

    async def plan(self, submission: Submission) -> JobPlan:
        """The requests of a launch, with secrets as references."""
        from dayfly.providers.digitalocean import (  # noqa: PLC0415 - as above
            clone,
            component,
            own,
            rerun,
        )

        spec, config = submission.spec, self._session.config
        mode = spec.target.mode
        if mode is TargetMode.ATTACHED_RUN:
            rerun.check_run(spec)
            what = spec.target.name or spec.target.provider_id
            path = f"/v2/apps/{{id of {what}}}/deployments"
            return JobPlan(
                calls=(_planned(f"POST {path}", {"force_build": False}, f"{rerun.EFFECT}."),)
            )
        image = component.check(spec, config)
        values = component.references(spec, image, config)
        self._session.check_secrets(values.secrets)
        notes = component.notes(spec, config, image, image)
        if config.tags == "resolve" and not image.digest:
            notes = (*notes[:-1], f"The tag {image.tag} is resolved to its digest first.")
        if mode is TargetMode.OWNED:
            body = component.app_body(submission, config, image, values)
            call = _planned("POST /v2/apps", body, _secret_note(values.secrets))
            return JobPlan(calls=(call,), notes=notes)
        clone.check_clone(spec)
        name = own.own_name(submission.key)
        added = component.component(submission, config, image, values, name=name)
        what = spec.target.name or spec.target.provider_id
        body = {"spec": {"(as it is)": "", "jobs": ["(as they are)", added]}}
        note = " ".join(filter(None, (f"{clone.EFFECT}.", _secret_note(values.secrets))))
        call = _planned(f"PUT /v2/apps/{{id of {what}}}", body, note)
        return JobPlan(calls=(call,), notes=notes)

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Launch, or adopt what the key already has."""
        from dayfly.providers.digitalocean import clone, launch, rerun  # noqa: PLC0415 - as above

        match submission.spec.target.mode:
            case TargetMode.OWNED:
                return await launch.launch(self._session, submission)
            case TargetMode.ATTACHED_CLONE:
                return await clone.clone(self._session, submission, report)
            case TargetMode.ATTACHED_RUN:
                return await rerun.run(self._session, submission, report)

    async def find(self, key: str) -> JobHandle | None:
        """The key's app, or its component in another's app; None where there is neither.

        An attached run leaves nothing of its key at DigitalOcean.
        """
        from dayfly.providers.digitalocean import clone, launch, own  # noqa: PLC0415 - as above
        from dayfly.providers.digitalocean.variables import key_of  # noqa: PLC0415 - as above

        for app in await self._session.apps.all():
            made = own.own_component(app)
            if made is not None and key_of(made) == key:
                return await launch.handle_in(self._session, app)
            for job in own.own_components(app):
                if key_of(job) == key:
                    return await clone.handle_in(self._session, app, job)
        return None


def _secret_note(secrets: Mapping[str, str]) -> str:
    names = ", ".join(secrets)
    return f"The plugin puts the values of {names} in place of their references." if names else ""


def _planned(call: str, request: Mapping[str, Any], note: str = "") -> PlannedCall:
    return PlannedCall(call=call, request=json.dumps(request, indent=2), note=note)
