"""What a Fargate task may have: pairs of CPU and memory, and the next one up.

Source: docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from dayfly.contract.jobs import Resources

_GIB: Final = 1024


def _steps(first: int, last: int, step: int = 1) -> tuple[int, ...]:
    return tuple(gib * _GIB for gib in range(first, last + 1, step))


#: CPU units (1,024 a vCPU) to memory in MiB.
PAIRS: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: _steps(1, 4),
    1024: _steps(2, 8),
    2048: _steps(4, 16),
    4096: _steps(8, 30),
    8192: _steps(16, 60, 4),
    16384: _steps(32, 120, 8),
}


class Size(NamedTuple):
    """What a task gets.

    Attributes:
        cpu: CPU units, 1,024 a vCPU.
        memory: MiB.
        note: What was rounded up; empty where nothing was.
    """

    cpu: int
    memory: int
    note: str = ""

    @property
    def vcpus(self) -> float:
        """CPU in vCPU."""
        return self.cpu / 1024


def fargate_size(resources: Resources) -> Size:
    """The smallest pair with at least what is asked for.

    Raises:
        InvalidField: No pair has that much, or that little memory a CPU.
    """
    cpus, memory = resources.cpus, resources.memory_mib
    units = 0 if cpus is None else math.ceil(cpus * 1024)
    for cpu, memories in PAIRS.items():
        fits = next((size for size in memories if size >= (memory or 0)), None)
        if cpu >= units and fits is not None:
            return Size(cpu, fits, _note(resources, cpu, fits))
    raise _refused(units, memory)


def shared_size(resources: Resources) -> Size:
    """On machines of one's own: what is asked for, and half a GiB where nothing is."""
    cpu = 0 if resources.cpus is None else math.ceil(resources.cpus * 1024)
    return Size(cpu, resources.memory_mib or 512)


def _note(resources: Resources, cpu: int, memory: int) -> str:
    cpus, wanted = resources.cpus, resources.memory_mib
    raised = []
    if cpus is not None and cpus * 1024 < cpu:
        raised.append(f"{cpus:g} vCPU to {cpu / 1024:g}")
    if wanted is not None and wanted < memory:
        raised.append(f"{wanted} MiB to {memory}")
    return f"Fargate sizes: rounded up {' and '.join(raised)}." if raised else ""


def _refused(units: int, memory: int | None) -> InvalidField:
    largest_cpu = max(PAIRS)
    if units > largest_cpu:
        return InvalidField(
            f"resources.cpus is {units / 1024:g}; the largest Fargate task has "
            f"{largest_cpu / 1024:g} vCPU and {PAIRS[largest_cpu][0]} to "
            f"{PAIRS[largest_cpu][-1]} MiB",
            field="resources.cpus",
            advice='Ask for less, or use launch_type = "EC2".',
        )
    nearest = PAIRS[largest_cpu][-1]
    return InvalidField(
        f"resources.memory_mib is {memory}; the nearest Fargate sizes are {nearest} MiB with "
        f"{largest_cpu / 1024:g} vCPU and {PAIRS[8192][-1]} MiB with 8 vCPU",
        field="resources.memory_mib",
        advice='Ask for less, or use launch_type = "EC2".',
    )
