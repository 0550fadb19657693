"""What a launch on this machine depends on."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from dayfly.contract.provider import Check, CheckOutcome

if TYPE_CHECKING:
    from pathlib import Path

_LITTLE_BYTES = 256 * 1024 * 1024


def run_checks(state: Path) -> list[Check]:
    """Look at the state directory and the platform; nothing is created."""
    place = next(path for path in (state, *state.parents) if path.exists())
    return [_writable(state, place), _space(place), _platform()]


def _writable(state: Path, place: Path) -> Check:
    good = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return Check(
        name="state directory",
        outcome=CheckOutcome.PASSED if good else CheckOutcome.FAILED,
        detail=str(state) if good else f"{state}: {place} is not writable",
        advice="" if good else "Name another one with DAYFLY_STATE_DIR or the setting state_dir.",
    )


def _space(place: Path) -> Check:
    free = shutil.disk_usage(place).free
    good = free >= _LITTLE_BYTES
    return Check(
        name="free space",
        outcome=CheckOutcome.PASSED if good else CheckOutcome.WARNING,
        detail=f"{free // 2**20} MiB for the output of jobs",
        advice="" if good else "`dayfly prune --on local` removes ended jobs.",
    )


def _platform() -> Check:
    good = sys.platform == "linux"
    return Check(
        name="platform",
        outcome=CheckOutcome.PASSED if good else CheckOutcome.WARNING,
        detail=sys.platform,
        advice=""
        if good
        else "Only on Linux are a job's memory and CPU time held to limits, and processes that "
        "leave its process group stopped with it.",
    )
