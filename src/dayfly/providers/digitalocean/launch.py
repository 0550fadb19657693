"""One key, one app: made, or found and adopted. An app's name is unique in its account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import AlreadyExists, Conflict, DayflyError
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import Submitted
from dayfly.providers.digitalocean import component as components
from dayfly.providers.digitalocean.answers import slot_id, time_in
from dayfly.providers.digitalocean.errors import is_name_taken
from dayfly.providers.digitalocean.handles import COMPONENT, Mode, Place
from dayfly.providers.digitalocean.own import own_component, own_name, sentinel_in
from dayfly.providers.digitalocean.variables import (
    INTENT,
    check_values,
    key_of,
    mark,
    to_resolve,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobHandle, Submission
    from dayfly.providers.digitalocean.component import Values
    from dayfly.providers.digitalocean.images import Image
    from dayfly.providers.digitalocean.session import Session


async def launch(session: Session, submission: Submission) -> Submitted:
    """Make the key's app, which deploys it and so runs the job; or adopt the one that is there.

    Raises:
        AlreadyExists: The key's app was made for another job, or by somebody else.
        Conflict: The name is taken, and no list shows the app yet.
        InvalidField: A field cannot be carried out; nothing was created.
    """
    named = components.check(submission.spec, session.config)
    image, values = await prepare(session, submission, named)
    body = components.app_body(submission, session.config, image, values)
    try:
        app = await session.apps.create(body)
    except DayflyError as error:
        if not is_name_taken(error):
            raise
        return await adopt(session, submission, error)
    place = place_in(app, submission.key, slot_id(app, "pending_deployment"))
    sentinel = components.sentinel_for(submission, session.config)
    said = components.notes(submission.spec, session.config, named, image)
    return Submitted(handle=replace(place, sentinel=sentinel).handle(), notes=said)


async def prepare(session: Session, submission: Submission, named: Image) -> tuple[Image, Values]:
    """The image by its digest where tags are resolved, and the values of secrets.

    Raises:
        NotFound: A secret, or the tag, is not there.
        InvalidField: A secret's value cannot be carried as it is.
    """
    spec, config = submission.spec, session.config
    references = {**to_resolve(spec), **components.credentials_of(named, config)}
    resolved = await session.resolve(references)
    registry = resolved.pop(components.REGISTRY, "")
    if registry:
        components.check_credentials(registry)
    check_values(resolved)
    image = named
    if config.tags == "resolve":
        image = await session.registries.resolve(named, registry)
    return image, components.Values(secrets=resolved, registry=registry)


async def adopt(session: Session, submission: Submission, error: DayflyError) -> Submitted:
    """The app that has the key's name already.

    Raises:
        AlreadyExists: It was made for another job, or by somebody else.
        Conflict: No list shows it yet.
    """
    name = own_name(submission.key)
    app = await session.apps.named(name)
    if app is None:
        raise Conflict(
            f"an app named {name} was made a moment ago, and is in no list yet"
        ) from error
    found = own_component(app)
    if found is None:
        raise AlreadyExists(
            f"there is an app named {name} that dayfly did not make",
            field="key",
            advice="Rename or remove it, or use another key.",
        ) from error
    if mark(found, INTENT) != intent_digest(submission.spec):
        raise AlreadyExists(
            f"the key already has the app {name}, which was made for a different job",
            field="key",
            advice="Use a new key for a new job, or the same job with this key.",
        ) from error
    return Submitted(handle=await handle_in(session, app), adopted=True)


async def handle_in(session: Session, app: Mapping[str, Any]) -> JobHandle:
    """The handle of an own app that was found."""
    found = own_component(app) or {}
    place = place_in(app, key_of(found), "")
    sentinel = sentinel_in(found)
    deployment = await session.witnesses.deployment_of(place)
    return replace(place, deployment=deployment, sentinel=sentinel).handle()


def place_in(app: Mapping[str, Any], key: str, deployment: str) -> Place:
    """Where the job of an own app is."""
    return Place(
        app=str(app.get("id", "")),
        name=own_name(key),
        component=COMPONENT,
        mode=Mode.OWNED,
        deployment=deployment,
        account=str(app.get("owner_uuid", "")),
        created=time_in(app, "created_at"),
    )
