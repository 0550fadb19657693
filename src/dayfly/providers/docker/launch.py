"""One key, one container, started once, also when several launch it at the same time.

The engine gives two things that only one caller can win: a name on create, and a rename
from a name. A container is started by its name, so whoever renames it first (a cancel, or
another launch that takes it over) makes every other start miss.
"""

from __future__ import annotations

import secrets as random
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import AlreadyExists, Conflict, NotFound
from dayfly.contract.groups import TaskGroup
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import JobHandle, Progress, Reason, Submitted
from dayfly.providers.docker import containers
from dayfly.providers.docker.config import Pull
from dayfly.providers.docker.errors import (
    other_intent,
    refused_create,
    refused_pull,
    refused_start,
)
from dayfly.providers.docker.images import pull
from dayfly.providers.docker.states import is_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dayfly.contract.jobs import Submission
    from dayfly.providers.docker.session import Session

_ROUNDS: Final = 3


def handle_of(row: Mapping[str, Any]) -> JobHandle:
    """The handle of a listed container."""
    return JobHandle(id=str(row["Id"]), name=_name(row), provider="docker")


async def launch(
    session: Session, submission: Submission, report: Callable[[Progress], None]
) -> Submitted:
    """Make and start the key's container, or adopt the one it has.

    Raises:
        AlreadyExists: The key's container was made for another job.
        InvalidField: The engine refuses a field; nothing was left.
        Conflict: Others kept winning the race for this key.
    """
    for _ in range(_ROUNDS):
        if row := await find(session, submission.key):
            adopted = await _adopt(session, submission, row)
        else:
            adopted = await _make(session, submission, report)
        if adopted:
            return adopted
    raise Conflict(f"others are launching the same key as {containers.container_name(submission)}")


async def find(session: Session, key: str) -> dict[str, Any] | None:
    """The key's container as the engine lists it, or None."""
    rows = await session.engine.list_labelled(containers.key_label(key))
    return min(rows, key=_seniority) if rows else None


def _seniority(row: Mapping[str, Any]) -> tuple[bool, int, str]:
    """What ran or was cancelled comes before what is only created; then the older one."""
    fresh = row.get("State") == "created" and not is_cancelled(_name(row))
    return fresh, int(row.get("Created", 0)), str(row["Id"])


def _name(row: Mapping[str, Any]) -> str:
    return str(row["Names"][0]).removeprefix("/") if row.get("Names") else str(row["Id"])


async def _adopt(
    session: Session, submission: Submission, row: Mapping[str, Any]
) -> Submitted | None:
    handle = handle_of(row)
    if (row.get("Labels") or {}).get(containers.INTENT) != intent_digest(submission.spec):
        raise other_intent(handle.name)
    if row.get("State") != "created" or is_cancelled(handle.name):
        return Submitted(handle=handle, adopted=True)
    return await _take_over(session, submission, handle)


async def _take_over(
    session: Session, submission: Submission, handle: JobHandle
) -> Submitted | None:
    """Start what another launch created; None where that one, or a third, was quicker."""
    state = ((await session.engine.inspect(handle.id)) or {}).get("State", {})
    if state.get("Error") or state.get("Status") != "created":
        return Submitted(handle=handle, adopted=True)
    claimed = f"{containers.container_name(submission)}-{random.token_hex(3)}"
    if not await session.engine.rename(handle.name, claimed):
        return None
    # The rename waits for a start that is under way, so this look is after it.
    now = await session.engine.inspect(handle.id)
    if now is None:
        return None
    mine = JobHandle(id=handle.id, name=claimed, provider="docker")
    if now["State"]["Status"] != "created":
        return Submitted(handle=mine, adopted=True)
    return await _start(session, submission, mine, adopted=True)


async def _make(
    session: Session, submission: Submission, report: Callable[[Progress], None]
) -> Submitted | None:
    handle = await _create(session, submission, report)
    if handle is None:
        return None
    engine = session.engine
    # One look after the create: a cancelled container of this key has another name.
    async with TaskGroup() as group:
        if submission.follow:
            group.create_task(_attach(session, handle.id))
        first = group.create_task(find(session, submission.key))
    row = first.result()
    if row is not None and row["Id"] != handle.id:
        await session.attached.drop(handle.id)
        await engine.remove(handle.id)
        return None
    return await _start(session, submission, handle, adopted=False)


async def _attach(session: Session, container: str) -> None:
    session.attached.hold(container, await session.engine.attach(container))


async def _create(
    session: Session, submission: Submission, report: Callable[[Progress], None]
) -> JobHandle | None:
    """A container that is not started; None where its name is taken."""
    spec, engine = submission.spec, session.engine
    values = await session.resolve(spec.secrets)
    body = containers.create_body(submission, values)
    name = containers.container_name(submission)
    if session.config.pull is Pull.ALWAYS:
        await pull(engine, spec.image, spec.platform, report)
    answer = await engine.create(name, body, spec.platform)
    if answer.status == 404 and _image_is_missing(answer.words):
        if session.config.pull is Pull.NEVER:
            raise NotFound(
                f"the engine does not have the image {spec.image!r}, and pull is 'never'",
                field="image",
                reason=Reason.IMAGE_UNAVAILABLE,
                advice="Load it (`docker load`), or set pull to 'missing'.",
            )
        await pull(engine, spec.image, spec.platform, report)
        answer = await engine.create(name, body, spec.platform)
        if answer.status == 404 and _image_is_missing(answer.words):
            raise refused_pull(answer.words, spec.image, spec.platform)
    if answer.status == 409:
        await _refuse_stranger(session, name)
        return None
    if answer.status != 201:
        raise refused_create(answer.words)
    return JobHandle(id=answer.document()["Id"], name=name, provider="docker")


def _image_is_missing(words: str) -> bool:
    text = words.lower()
    return "no such image" in text or ("image" in text and "does not match" in text)


async def _refuse_stranger(session: Session, name: str) -> None:
    holder = await session.engine.inspect(name)
    if holder and containers.KEY not in (holder.get("Config", {}).get("Labels") or {}):
        raise AlreadyExists(
            f"a container named {name} is there, and dayfly did not make it",
            field="key",
            advice="Rename or remove it, or use another key.",
        )


async def _start(
    session: Session, submission: Submission, handle: JobHandle, *, adopted: bool
) -> Submitted | None:
    engine = session.engine
    if adopted and submission.follow:
        await session.attached.drop(handle.id)
        await _attach(session, handle.id)
    answer = await engine.start(handle.name)
    if answer.status in {204, 304}:
        return Submitted(handle=handle, adopted=adopted)
    await session.attached.drop(handle.id)
    if answer.status == 404 and "no such container" in answer.words.lower():
        return None
    await engine.remove(handle.id, force=True)
    raise refused_start(answer.words, submission.spec)
