"""What to run, where, and how much it is kept from."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOCAL_DOCKER: Final = "local-docker"
EPHEMERAL: Final = "ephemeral"
PROVIDER_EPHEMERAL: Final = "provider-ephemeral"

#: What the Go project runs a command in that names no image.
DEFAULT_IMAGE: Final = "cgr.dev/chainguard/wolfi-base:latest"

_REFERENCE: Final = "secret://"
_NOTHING: Mapping[str, str] = MappingProxyType({})


class CommandOptions(TypedDict, total=False):
    """Everything about a command but its argv; see ``Command``."""

    exec_env: str
    provider: str
    argo_module: str
    image: str
    profile: str
    best_effort: bool
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    cpus: float | None
    memory_mib: int | None
    timeout_seconds: int | None
    network: str
    working_dir: str
    user: str
    labels: Mapping[str, str]
    max_output: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command for a sandbox.

    Attributes:
        argv: Passed on as it is.
        exec_env: ``local-docker``, ``ephemeral``, ``provider-ephemeral``, or the name of a
            remote runner.
        provider: Which provider; for ``provider-ephemeral`` alone.
        argo_module: Which configuration of Argo Workflows; for ``ephemeral`` alone.
        image: Container image; empty is ``DEFAULT_IMAGE`` where the environment has images.
        profile: ``strict``, ``standard`` or ``permissive``.
        best_effort: Leave out what the environment cannot honour of the profile, and say so.
        env: Plain variables; a ``secret://`` value is a reference, and goes as one.
        secrets: Variable to secret reference.
        cpus: Virtual CPUs, instead of the profile's.
        memory_mib: Memory in MiB, instead of the profile's.
        timeout_seconds: Wall-clock limit, instead of the profile's.
        network: Network to join, instead of the profile's; ``none`` is no network.
        working_dir: Directory it starts in.
        user: ``user[:group]``.
        labels: For finding the job.
        max_output: Bytes of each stream that are passed on; None is all of them.
    """

    argv: tuple[str, ...]
    exec_env: str = LOCAL_DOCKER
    provider: str = ""
    argo_module: str = ""
    image: str = ""
    profile: str = "strict"
    best_effort: bool = False
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    secrets: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    cpus: float | None = None
    memory_mib: int | None = None
    timeout_seconds: int | None = None
    network: str = ""
    working_dir: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    max_output: int | None = None


class Variables(NamedTuple):
    """An environment, with its references kept apart.

    Attributes:
        plain: Name to value.
        secrets: Name to reference.
    """

    plain: dict[str, str]
    secrets: dict[str, str]


def as_argv(argv: Sequence[str]) -> tuple[str, ...]:
    """An argv as it is.

    Raises:
        InvalidField: It is empty, or one text: no shell takes it apart here.
    """
    if isinstance(argv, str):
        raise InvalidField(
            "argv is one text; allowed: a list of texts",
            field="command",
            advice='For a line of shell: ["/bin/sh", "-c", LINE].',
        )
    if not argv:
        raise InvalidField("the command is empty", field="command")
    return tuple(argv)


def variables(command: Command) -> Variables:
    """Its plain environment and its references.

    Raises:
        InvalidField: A name is in both ``env`` and ``secrets``.
    """
    for name in command.env:
        if name in command.secrets:
            raise InvalidField(f"{name} is in both env and secrets", field=f"secrets.{name}")
    found = {name: value for name, value in command.env.items() if is_reference(value)}
    plain = {name: value for name, value in command.env.items() if name not in found}
    return Variables(plain, {**command.secrets, **found})


def is_reference(value: object) -> bool:
    """The value of a variable that stands for a secret."""
    return isinstance(value, str) and value.startswith(_REFERENCE)
