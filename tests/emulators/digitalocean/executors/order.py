"""What is to be run, and how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from tests.emulators.digitalocean.output import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One container.

    Attributes:
        id: Of this run.
        repository: Path of the image in its registry.
        image: What the local engine has of it.
        argv: Replaces the image's command and entrypoint; empty leaves them.
        env: Its environment, with all references resolved.
        grace_seconds: From SIGTERM to SIGKILL.
        default_run_seconds: Of a command that is no script.
        output: Takes what it prints.
        stop: Set when it is to be stopped.
        started: Called once, when it runs.
    """

    id: str
    repository: str
    image: str
    argv: Sequence[str]
    env: Mapping[str, str]
    grace_seconds: float
    default_run_seconds: float
    output: Output
    stop: asyncio.Event
    started: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How it ended.

    Attributes:
        exit_code: Its own; None where it never ran.
        oom: It was killed for its memory.
        code: Reason code of App Platform, where the code alone does not tell.
        message: In words.
    """

    exit_code: int | None
    oom: bool = False
    code: str = ""
    message: str = ""


Executor = Callable[[Order], Awaitable[Ended]]
