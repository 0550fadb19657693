"""What a job does here: a small language in its command.

``["emulate", "{\\"run_seconds\\": 1.5, \\"exit_code\\": 3}"]``; any other command runs for
``default_run_seconds``, exits with 0 and writes nothing.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One container's behaviour.

    Attributes:
        run_seconds: How long it runs; without it, as long as its lines take, or the default.
        never_ends: It runs until it is stopped.
        exit_code: Its own.
        lines: How many it writes, or the lines themselves.
        lines_per_second: Their pace; without it they are spread over the run.
        text: Of each line; ``{i}`` is its number.
        line_bytes: Lines are filled up to that length.
        oom: It is killed for its memory at the end: 137, with the reason of AWS.
        term_exit_code: What it exits with on SIGTERM.
        term_seconds: How long it takes for that.
        ignores_term: It is killed after its ``stopTimeout``, with 137.
        fail_to_start: Of the task: ``stopCode``, ``stoppedReason``, and the container's ``reason``.
        interrupted: Of the task: ``after`` seconds of running, ``stopCode``, ``stoppedReason``.
        spot_after: Short for the interruption of a Spot task after so many seconds.
        provisioning_seconds: Replaces the knob for this task,
        pending_seconds: and this one.
    """

    run_seconds: float | None = None
    never_ends: bool = False
    exit_code: int = 0
    lines: int | Sequence[str] = 0
    lines_per_second: float = 0.0
    text: str = "line {i}"
    line_bytes: int = 0
    oom: bool = False
    term_exit_code: int = 143
    term_seconds: float = 0.0
    ignores_term: bool = False
    fail_to_start: Mapping[str, str] = field(default_factory=dict)
    interrupted: Mapping[str, Any] = field(default_factory=dict)
    spot_after: float | None = None
    provisioning_seconds: float | None = None
    pending_seconds: float | None = None

    @property
    def count(self) -> int:
        """How many lines it would write, left alone."""
        return self.lines if isinstance(self.lines, int) else len(self.lines)

    def duration(self, default: float) -> float:
        """How long it runs, left alone."""
        if self.never_ends:
            return math.inf
        if self.run_seconds is not None:
            return self.run_seconds
        return self.count / self.lines_per_second if self.lines_per_second else default

    def step(self, default: float) -> float:
        """Seconds from one line to the next."""
        if self.lines_per_second:
            return 1 / self.lines_per_second
        duration = self.duration(default)
        return duration / self.count if self.count and math.isfinite(duration) else 0.0

    def line(self, number: int) -> str:
        """The text of a line."""
        if not isinstance(self.lines, int):
            return self.lines[number]
        text = self.text.replace("{i}", str(number))
        return text.ljust(self.line_bytes, ".") if self.line_bytes else text

    def interruption(self) -> tuple[float, str, str] | None:
        """After how long the task is taken away, with the code and the reason."""
        if self.spot_after is not None:
            return self.spot_after, "SpotInterruption", "Your Spot Task was interrupted."
        if self.interrupted:
            one = self.interrupted
            return float(one["after"]), str(one["stopCode"]), str(one["stoppedReason"])
        return None


_PLAIN = Script()


def read_script(command: Sequence[str]) -> Script:
    """The behaviour that a command asks for.

    Raises:
        TypeError: The script has a member that does not exist.
        ValueError: It is no JSON.
    """
    if len(command) < 2 or command[0] != "emulate":
        return _PLAIN
    return Script(**json.loads(command[1]))


def emulate(**behaviour: Any) -> list[str]:
    """The command for a behaviour, for tests."""
    Script(**behaviour)
    return ["emulate", json.dumps(behaviour, separators=(",", ":"))]
