"""What a command printed, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dayfly.contract.jobs import JobState, Stream

if TYPE_CHECKING:
    from dayfly.contract.errors import DayflyError
    from dayfly.contract.jobs import JobStatus, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A run of bytes of one stream, as the command wrote them."""

    stream: Stream
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end, as an environment tells it after the last of the output.

    Attributes:
        status: The environment's last word.
        profile: What it ran under; empty where that was not told.
        notes: What was left out, rounded or chosen, a sentence each.
        output_error: Why the output is not whole; None where it is.
    """

    status: JobStatus
    profile: str = ""
    notes: tuple[str, ...] = ()
    output_error: DayflyError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecResult:
    """How a command ended and what it printed.

    Attributes:
        exit_code: 0 to 255; None where the environment does not give one.
        stdout: What it wrote there, up to ``max_output``; all of the output where the
            environment does not keep the streams apart.
        stderr: What it wrote there, up to ``max_output``.
        state: SUCCEEDED, FAILED or CANCELLED; UNKNOWN where it was lost.
        reason: Why it ended as it did.
        signal: Number of the signal that ended it, where that is known.
        message: One line for a person.
        stdout_dropped: Bytes beyond ``max_output`` that were not kept.
        stderr_dropped: The same, of stderr.
        output_error: Why the output is not whole; it says nothing about the command.
        notes: What was left out of the profile, rounded or chosen, a sentence each.
        exec_env: Where it ran.
        profile: What it ran under; empty where that was not told.
    """

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    state: JobState
    reason: Reason | None
    signal: int | None = None
    message: str = ""
    stdout_dropped: int = 0
    stderr_dropped: int = 0
    output_error: DayflyError | None = None
    notes: tuple[str, ...] = ()
    exec_env: str = ""
    profile: str = ""

    @property
    def ok(self) -> bool:
        """It succeeded."""
        return self.state is JobState.SUCCEEDED
