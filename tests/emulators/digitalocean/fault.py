"""One way to go wrong, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.emulators.aws.knobs import Rate

__all__ = ["KINDS", "Fault", "Rate"]

KINDS: Final = (
    "reset_before",
    "reset_after",
    "hang",
    "throttled",
    "server_error",
    "unauthorized",
    "denied",
    "conflict",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Counted from the moment it is set.

    Attributes:
        kind: ``reset_before`` cuts the connection with nothing done; ``reset_after`` carries the
            call out and cuts it before the answer; ``hang`` waits ``seconds`` after the call was
            carried out; ``throttled`` answers 429 and asks for ``seconds`` of patience;
            ``server_error`` answers ``status`` with nothing done; ``unauthorized`` 401,
            ``denied`` 403 and ``conflict`` 409, with nothing done.
        operation: An operation of the definition such as ``apps_create``; ``account_get`` and
            ``registry_tags`` of the same API; ``manifest`` and ``registry_token`` of a
            registry; ``live`` and ``archive`` of output; ``apps``, ``registry`` or ``logs`` for
            all of each, or ``*``.
        first: Only so many times. 0 is no limit.
        every: Each Nth matching call only. 0 and 1 are each of them.
        after: So many matching calls pass before it.
        after_seconds: So long passes before it.
        status: HTTP status of ``server_error``.
        message: What it says; empty leaves it to the kind.
        seconds: Of ``hang`` and ``throttled``.
        orderly: The connection is closed in order instead of reset.
    """

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
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; allowed: {', '.join(KINDS)}")
