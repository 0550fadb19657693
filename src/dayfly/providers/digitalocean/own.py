"""Which apps, and which jobs in others' apps, are dayfly's: told by a key and the name it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.contract.identity import key_digest
from dayfly.providers.digitalocean.answers import jobs_of, name_of
from dayfly.providers.digitalocean.handles import COMPONENT
from dayfly.providers.digitalocean.variables import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def own_name(key: str) -> str:
    """Name of a key's app, and of its component in another's app: 27 of 32 characters."""
    return f"dayfly-{key_digest(key)}"


def sentinel_of(key: str) -> str:
    """What stands before the exit code that a key's job prints itself."""
    return f"dayfly-exit:{key_digest(key)}:"


def own_component(app: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The job of an app that was made for one; None where dayfly did not make the app."""
    for job in jobs_of(app):
        key = key_of(job)
        if key and job.get("name") == COMPONENT and name_of(app) == own_name(key):
            return job
    return None


def own_components(app: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Jobs that dayfly added to another's app."""
    return [job for job in jobs_of(app) if key_of(job) and job.get("name") == own_name(key_of(job))]


def sentinel_in(found: Mapping[str, Any]) -> str:
    """What a component's command prints before its exit code; empty where it prints none."""
    sentinel = sentinel_of(key_of(found))
    return sentinel if sentinel in str(found.get("run_command", "")) else ""
