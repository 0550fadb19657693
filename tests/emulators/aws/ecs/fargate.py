"""Which cpu goes with which memory on Fargate."""

from __future__ import annotations

import re
from typing import Final

_GIB: Final = 1024

#: cpu units -> MiB that are allowed with them
PAIRS: Final = {
    256: (512, 1024, 2048),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}


def cpu_units(text: str) -> str:
    """``1 vCPU`` is ``1024``; what is neither stays as it is, to be refused."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*v?cpu\s*", text, re.IGNORECASE)
    return str(round(float(found[1]) * 1024)) if found else text


def memory_mib(text: str) -> str:
    """``0.5 GB`` is ``512``."""
    found = re.fullmatch(r"\s*([0-9.]+)\s*gb\s*", text, re.IGNORECASE)
    return str(round(float(found[1]) * 1024)) if found else text


def is_pair(cpu: str, memory: str) -> bool:
    """Whether Fargate has machines of that size."""
    return cpu.isdigit() and memory.isdigit() and int(memory) in PAIRS.get(int(cpu), ())
