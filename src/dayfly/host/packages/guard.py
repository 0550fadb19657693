"""One process at a time changes a plugins directory."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DeadlinePassed, FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME: Final = ".plugins.guard"
#: Held for renames and the reading of one plugin's files, never for a download.
_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.02


def once_held(plugins: Path) -> bool:
    """Whether a process ever held it: where not, nothing was installed, and nothing is now."""
    return os.access(plugins / _NAME, os.F_OK)


@contextmanager
def held(plugins: Path, *, shared: bool = False, seconds: float = _SECONDS) -> Iterator[None]:
    """Hold the directory; the kernel lets go of it when this process ends.

    Args:
        plugins: The plugins directory; it is there.
        shared: Only wait until nobody changes it.
        seconds: How long to wait for others.

    Raises:
        DeadlinePassed: Somebody else held it all the time.
        FailedPrecondition: The directory cannot be written.
    """
    path = plugins / _NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if shared:  # Where this user cannot write, nothing of ours is under way.
            yield
            return
        raise FailedPrecondition(f"{plugins} cannot be written: {error.strerror}") from error
    try:
        _wait(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX, plugins, seconds)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, kind: int, plugins: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise DeadlinePassed(
                    f"another process changes {plugins} and has not ended within {seconds:g} s"
                ) from None
            time.sleep(_PAUSE_SECONDS)
        else:
            return
