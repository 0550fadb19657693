"""Two commands in turn, A B A B, so that a machine that drifts drifts for both."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUN_LIMIT_SECONDS = 300
#: Where commands run: no project's configuration is there to be read.
EMPTY = TemporaryDirectory(prefix="dayfly-bench-")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    measured: str
    goal: str
    reached: bool


@dataclass(frozen=True)
class Pair:
    """Medians, in seconds, of two commands run in turn."""

    ours: float
    yardstick: float

    @property
    def ratio(self) -> float:
        """Ours in yardsticks."""
        return self.ours / self.yardstick


def wall_seconds(argv: Sequence[str], env: Mapping[str, str] | None = None) -> float:
    """Run a command to its end and time it as a whole process.

    Raises:
        RuntimeError: It did not exit with 0; a failed run is no measurement.
    """
    begin = time.perf_counter()
    done = subprocess.run(
        argv,
        check=False,
        env=env,
        cwd=EMPTY.name,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=RUN_LIMIT_SECONDS,
    )
    took = time.perf_counter() - begin
    if done.returncode != 0:
        words = " ".join(argv)
        raise RuntimeError(f"{words} exited with {done.returncode}: {done.stderr.decode()[-500:]}")
    return took


def pair(
    ours: Sequence[str],
    yardstick: Sequence[str],
    *,
    runs: int,
    env: Mapping[str, str] | None = None,
) -> Pair:
    """Medians of both, after one run of each that does not count."""
    wall_seconds(ours, env)
    wall_seconds(yardstick, env)
    times = [(wall_seconds(ours, env), wall_seconds(yardstick, env)) for _ in range(runs)]
    return Pair(median(a for a, _ in times), median(b for _, b in times))
