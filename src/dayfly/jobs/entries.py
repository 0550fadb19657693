"""What the journal keeps of a job, and how a person names one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.contract.jobs import JobState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dayfly.contract.jobs import JobHandle, JobStatus

LATEST = "@latest"

#: Ends that a provider has told. A job that is lost may yet be found.
FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One launch. No argv, no environment, no secret reference.

    Attributes:
        key: Its idempotency key.
        provider: Name of the configuration it was launched on.
        plugin: Name of the plugin behind it.
        name: What a person calls it.
        digest: SHA-256 of the job, so that the key cannot come to mean another.
        handle: None where the launch was written down and never answered.
        status: The last that was heard of it; None where that is nothing.
        launched: When the launch was answered; None where it was not.
        never_launched: The provider was asked, and has no job of this key.
        cancel_requested: Somebody here asked for its stop.
        created: When the launch was written down.
        ended: When its end was written down.
        deleted: When its leftovers were removed.
    """

    key: str
    provider: str
    plugin: str
    name: str
    digest: str
    handle: JobHandle | None
    status: JobStatus | None
    launched: datetime | None
    never_launched: bool
    cancel_requested: bool
    created: datetime
    ended: datetime | None
    deleted: datetime | None

    @property
    def end(self) -> JobStatus | None:
        """How it ended, as the provider told it; None where that was not seen."""
        return self.status if self.status and self.status.state in FINAL else None


def select(entries: Sequence[JournalEntry], selector: str) -> JournalEntry:
    """The entry that a selector names; those not deleted come first.

    Args:
        entries: Newest first.
        selector: A key, a name, a unique prefix of a name, or ``@latest``.

    Raises:
        NotFound: Nothing has this name.
        InvalidField: It is empty, or several have this name.
    """
    if not selector:
        raise InvalidField(
            "the job's name is empty", field="job", advice="`dayfly ps` lists the jobs here."
        )
    present = [entry for entry in entries if entry.deleted is None]
    for some in (present, entries):
        for matches in (_by_key, _by_name, _by_prefix):
            if found := matches(some, selector):
                return _only(found, selector)
    raise NotFound(
        f"no job here is named {selector!r}",
        advice="`dayfly ps --all` lists the jobs launched from this machine; one launched "
        "elsewhere is named by its handle token.",
    )


def _by_key(entries: Sequence[JournalEntry], selector: str) -> Sequence[JournalEntry]:
    return [entry for entry in entries if entry.key == selector]


def _by_name(entries: Sequence[JournalEntry], selector: str) -> Sequence[JournalEntry]:
    if selector == LATEST:
        return entries[:1]
    return [entry for entry in entries if entry.name == selector]


def _by_prefix(entries: Sequence[JournalEntry], selector: str) -> Sequence[JournalEntry]:
    return [entry for entry in entries if entry.name.startswith(selector)]


def _only(found: Sequence[JournalEntry], selector: str) -> JournalEntry:
    if len(found) == 1:
        return found[0]
    shown = ", ".join(f"{entry.name} (key {entry.key}, on {entry.provider})" for entry in found[:8])
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    raise InvalidField(
        f"{selector!r} may be any of {len(found)} jobs: {shown}{more}",
        field="job",
        advice="Give more of the name, or the key.",
    )
