"""This machine, as archives and indexes spell it."""

from __future__ import annotations

import platform
import sys

from dayfly.contract.errors import FailedPrecondition

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def system_and_machine() -> tuple[str, str]:
    """Such as ``("linux", "amd64")``.

    Raises:
        FailedPrecondition: Plugins have no word for this kind of machine.
    """
    system, machine = sys.platform, platform.machine().lower()
    if system not in {"linux", "darwin"} or machine not in _MACHINES:
        raise FailedPrecondition(
            f"there are no archives of plugins for {system} on {machine}; there are for linux "
            "and darwin, on amd64 and arm64"
        )
    return system, _MACHINES[machine]
