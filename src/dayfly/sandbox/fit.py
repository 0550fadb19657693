"""From a command under a profile to a job that this provider carries out."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dayfly.contract.errors import InvalidField
from dayfly.contract.honour import fields_set
from dayfly.contract.jobs import JobSpec, Resources
from dayfly.sandbox.command import DEFAULT_IMAGE, variables
from dayfly.sandbox.profiles import profile_named

if TYPE_CHECKING:
    from dayfly.contract.provider import Description
    from dayfly.sandbox.command import Command
    from dayfly.sandbox.profiles import Profile

T = TypeVar("T")

_WORDS = {
    "isolation.no_network": "no network",
    "isolation.read_only_root": "a read-only root",
    "isolation.no_new_privileges": "no new privileges",
    "isolation.drop_capabilities": "dropped capabilities",
    "isolation.pids_limit": "a limit of processes",
    "isolation.tmpfs": "a tmpfs at /tmp",
    "resources.cpus": "a limit of CPU",
    "resources.memory_mib": "a limit of memory",
    "timeout_seconds": "a timeout",
    "output": "a limit of output",
}


class Fitted(NamedTuple):
    """A job, and what a person should know about how it came to be.

    Attributes:
        spec: The job.
        notes: What was left out or chosen, a sentence each.
        most_printed: Bytes of output after which it is stopped; None is no limit.
    """

    spec: JobSpec
    notes: tuple[str, ...]
    most_printed: int | None = None


def fit(command: Command, description: Description, *, cancels: bool) -> Fitted:
    """The job that runs a command under its profile.

    Args:
        command: What was asked for.
        description: What the provider can honour.
        cancels: It can stop jobs, so that a timeout and a limit of output can be kept for it.

    Raises:
        InvalidField: The profile is unknown, or the provider cannot honour it.
    """
    profile = profile_named(command.profile)
    can = description.honours | ({"timeout_seconds", "output"} if cancels else frozenset())
    confined, most_printed = _confined(command, profile), _most_printed(command, profile)
    asked = fields_set(confined) | ({"output"} if most_printed else frozenset())
    left_out = sorted(asked - can)
    if left_out and not command.best_effort:
        raise _cannot(profile, description, left_out)
    notes = []
    if left_out:
        words = ", ".join(_WORDS[field] for field in left_out)
        notes.append(f"{description.provider} runs it without this of profile "
                     f"{profile.name!r}: {words}")  # fmt: skip
        confined = _without(confined, left_out)
    if not command.image and "image" not in can:
        notes.append(f"{description.provider} runs no images: the command runs as it is there")
    spec = _asked(command, confined, images="image" in can)
    return Fitted(spec, tuple(notes), most_printed if cancels else None)


def _confined(command: Command, profile: Profile) -> JobSpec:
    """What the profile alone asks for: what the command asks for itself is not in it."""
    isolation = profile.isolation
    if command.network:
        isolation = replace(isolation, no_network=False)
    return JobSpec(
        isolation=isolation,
        resources=Resources(
            cpus=profile.resources.cpus if command.cpus is None else None,
            memory_mib=profile.resources.memory_mib if command.memory_mib is None else None,
        ),
        timeout_seconds=profile.timeout_seconds if command.timeout_seconds is None else None,
    )


def _most_printed(command: Command, profile: Profile) -> int | None:
    """Who asks for more output than the profile allows gets it."""
    if profile.output_mib is None:
        return None
    return max(profile.output_mib << 20, command.max_output or 0)


def _asked(command: Command, confined: JobSpec, *, images: bool) -> JobSpec:
    """The job: what the command asks for, and what is kept of its profile."""
    plain, secrets = variables(command)
    no_network = confined.isolation.no_network or command.network == "none"
    return JobSpec(
        image=command.image or (DEFAULT_IMAGE if images else ""),
        command=command.argv,
        env=plain,
        secrets=secrets,
        resources=Resources(
            cpus=_either(command.cpus, confined.resources.cpus),
            memory_mib=_either(command.memory_mib, confined.resources.memory_mib),
        ),
        timeout_seconds=_either(command.timeout_seconds, confined.timeout_seconds),
        working_dir=command.working_dir,
        user=command.user,
        network="" if command.network == "none" else command.network,
        labels=command.labels,
        isolation=replace(confined.isolation, no_network=no_network),
    )


def _without(confined: JobSpec, left_out: list[str]) -> JobSpec:
    parts = {}
    for name in ("isolation", "resources"):
        part = getattr(confined, name)
        plain = type(part)()
        gone = [f.name for f in fields(part) if f"{name}.{f.name}" in left_out]
        parts[name] = replace(part, **{field: getattr(plain, field) for field in gone})
    if "timeout_seconds" in left_out:
        parts["timeout_seconds"] = None
    return replace(confined, **parts)


def _either(asked: T | None, otherwise: T | None) -> T | None:
    return otherwise if asked is None else asked


def _cannot(profile: Profile, description: Description, left_out: list[str]) -> InvalidField:
    words = ", ".join(_WORDS[field] for field in left_out)
    return InvalidField(
        f"provider {description.provider!r} cannot honour profile {profile.name!r}: it has "
        f"no way to give {words}",
        field="profile",
        advice="Run it elsewhere (docker honours every profile), under a weaker --profile, or "
        "with --profile-best-effort, which leaves that out and says so.",
    )
