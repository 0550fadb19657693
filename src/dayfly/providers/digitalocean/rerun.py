"""Attached run: an app deployed again as it is, which runs its deploy-time jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import DeadlinePassed, InvalidField, ProviderFailed, Unavailable
from dayfly.contract.honour import fields_set
from dayfly.contract.identity import key_digest
from dayfly.contract.jobs import Progress, Submitted
from dayfly.providers.digitalocean.answers import made_at, name_of, time_in
from dayfly.providers.digitalocean.handles import Mode, Place
from dayfly.providers.digitalocean.targets import (
    check_target,
    find_target,
    job_component,
    refuse_busy,
    refuse_leftovers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dayfly.contract.jobs import JobSpec, Submission
    from dayfly.providers.digitalocean.session import Session

EFFECT = "an attached run deploys the whole app again, and runs all of its deploy-time jobs"


def check_run(spec: JobSpec) -> None:
    """Refuse what a deployment cannot be given: it takes nothing but itself.

    Raises:
        InvalidField: Naming the first field that would override something.
    """
    check_target(spec.target, EFFECT)
    extra = sorted(name for name in fields_set(spec) if not name.startswith(("target.", "name")))
    if extra:
        raise InvalidField(
            f"an attached run takes no overrides at DigitalOcean, and {', '.join(extra)} is given",
            field=extra[0],
            advice="Leave it out, or attach a clone: --target-mode clone.",
        )


async def run(
    session: Session, submission: Submission, report: Callable[[Progress], None]
) -> Submitted:
    """Deploy the target again. DigitalOcean knows no keys here, so this is never tried twice.

    Raises:
        Conflict: The target is being deployed already, or has another run's job in it.
        ProviderFailed: The answer was lost: it cannot be told whether a deployment was made.
    """
    spec = submission.spec
    check_run(spec)
    app, wanted = await find_target(session.apps, spec.target)
    app_id = str(app["id"])
    component = job_component(app, wanted)
    async with session.turns.of(app_id):
        rows = await session.apps.deployments(app_id)
        fresh = await session.apps.get(app_id) or app
        refuse_busy(fresh, name_of(app))
        refuse_leftovers(fresh, name_of(app))
        latest: Mapping[str, Any] = max(rows, key=made_at, default={})
        place = Place(
            app=app_id,
            name=name_of(app),
            component=component,
            mode=Mode.RUN,
            account=str(app.get("owner_uuid", "")),
            created=datetime.now(UTC),
            before=str(latest.get("id", "")),
            mark=f"run-{key_digest(submission.key)}",
        )
        detail = f"{place.name}, for its job {component}"
        report(Progress(phase="deploying", detail=detail, handle=place.handle()))
        try:
            made = await session.apps.deploy(app_id)
        except (Unavailable, DeadlinePassed) as error:
            raise ProviderFailed(
                f"{error.message}; whether {place.name} is deployed is not known, and it is not "
                "tried again",
                advice="`dayfly status` shows the deployment, if it came to be.",
            ) from error
    placed = replace(
        place,
        deployment=str(made.get("id", "")),
        created=time_in(made, "created_at") or place.created,
    )
    return Submitted(handle=placed.handle(), notes=(f"The whole app {place.name} is deployed.",))
