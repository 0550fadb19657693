"""Security profiles: how much a command is kept from, under three names.

They are those of the Go project's ``step.sandbox_exec``, limit for limit, and one limit more:
output, which its reader would otherwise have to keep without end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import Isolation, Resources

if TYPE_CHECKING:
    from collections.abc import Mapping

STRICT: Final = "strict"
STANDARD: Final = "standard"
PERMISSIVE: Final = "permissive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a job under this name gets, beside what it asks for itself.

    Attributes:
        name: ``strict``, ``standard`` or ``permissive``.
        strictness: Greater is stricter.
        isolation: What the command is kept from.
        resources: What it may use, where it does not say.
        timeout_seconds: How long it may take, where it does not say.
        output_mib: How much it may print, both streams together, where more is not asked for.
    """

    name: str
    strictness: int
    isolation: Isolation = field(default_factory=Isolation)
    resources: Resources = field(default_factory=Resources)
    timeout_seconds: int | None = None
    output_mib: int | None = None


_MODEST: Final = Resources(cpus=0.5, memory_mib=256)
_PIDS: Final = 64
_SECONDS: Final = 300
_OUTPUT_MIB: Final = 1024

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        STRICT: Profile(
            name=STRICT,
            strictness=2,
            isolation=Isolation(
                no_network=True,
                read_only_root=True,
                no_new_privileges=True,
                drop_capabilities=("ALL",),
                pids_limit=_PIDS,
                tmpfs=MappingProxyType({"/tmp": 64}),  # noqa: S108 - a directory of the job's
            ),
            resources=_MODEST,
            timeout_seconds=_SECONDS,
            output_mib=_OUTPUT_MIB,
        ),
        STANDARD: Profile(
            name=STANDARD,
            strictness=1,
            isolation=Isolation(
                no_new_privileges=True,
                drop_capabilities=("NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE", "SETUID", "SETGID"),
                pids_limit=_PIDS,
            ),
            resources=_MODEST,
            timeout_seconds=_SECONDS,
            output_mib=_OUTPUT_MIB,
        ),
        PERMISSIVE: Profile(name=PERMISSIVE, strictness=0),
    }
)


def profile_named(name: str) -> Profile:
    """The profile of this name.

    Raises:
        InvalidField: There is none; a profile is never replaced by another one here.
    """
    profile = PROFILES.get(name)
    if profile is None:
        raise InvalidField(
            f"profile is {name[:120]!r}; allowed: {', '.join(PROFILES)}", field="profile"
        )
    return profile
