"""One way to go wrong, and when; and how often it has been."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Counted from the moment it is set. Each emulator has its own kinds and operations.

    Attributes:
        kind: ``reset_before`` cuts the connection with nothing done; ``reset_after`` carries
            the call out and cuts it before the answer; ``hang`` waits ``seconds`` after the call
            was carried out; ``server_error`` answers ``status`` with nothing done.
        operation: Its name, or a name for several, or ``*``.
        first: Only so many times. 0 is no limit.
        every: Each Nth matching call only. 0 and 1 are each of them.
        after: So many matching calls pass before it.
        after_seconds: So long passes before it.
        status: HTTP status of ``server_error``.
        message: What it says; empty leaves it to the kind.
        seconds: Of ``hang``.
        orderly: The connection is closed in order instead of reset.
    """

    KINDS: ClassVar[Collection[str]] = ("reset_before", "reset_after", "hang", "server_error")

    kind: str
    operation: str = "*"
    first: int = 0
    every: int = 0
    after: int = 0
    after_seconds: float = 0.0
    status: int = 500
    message: str = ""
    seconds: float = 0.0
    orderly: bool = False

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            raise ValueError(f"kind is {self.kind!r}; allowed: {', '.join(self.KINDS)}")


F = TypeVar("F", bound=Fault)


@dataclass(slots=True)
class _Progress:
    since: float
    seen: int = 0
    fired: int = 0


@dataclass(slots=True)
class FaultCounts(Generic[F]):
    """Remembers how often each fault has been."""

    progress: dict[F, _Progress] = field(default_factory=dict)

    def due(self, faults: Sequence[F], names: Collection[str]) -> list[F]:
        """The faults that a call of these names meets; they are counted as having been."""
        now = time.monotonic()
        due = []
        for fault in faults:
            progress = self.progress.setdefault(fault, _Progress(now))
            if fault.operation in names and _fires(fault, progress, now):
                due.append(fault)
        return due

    def forget(self, faults: Sequence[F]) -> None:
        """Drop what is not set any more, and begin counting what is new."""
        now = time.monotonic()
        self.progress = {fault: self.progress.get(fault) or _Progress(now) for fault in faults}


def _fires(fault: Fault, progress: _Progress, now: float) -> bool:
    if now - progress.since < fault.after_seconds:
        return False
    progress.seen += 1
    if progress.seen <= fault.after:
        return False
    if fault.every > 1 and (progress.seen - fault.after) % fault.every:
        return False
    if fault.first and progress.fired >= fault.first:
        return False
    progress.fired += 1
    return True
