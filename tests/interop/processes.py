"""Which processes a test has left."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_GRACE_SECONDS = 3.0


def left_over(directory: Path) -> list[str]:
    """Command lines of the plugins started from a directory that have not ended in 3 s."""
    mark = str(directory).encode()
    deadline = time.monotonic() + _GRACE_SECONDS
    while (found := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def end_jobs(directory: Path) -> None:
    """Kill what is left of the jobs of plugins started from a directory."""
    mark = f"INTEROP_JOB_OF={directory}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        if mark in _read(path / "environ"):
            with suppress(ProcessLookupError):
                os.kill(int(path.name), signal.SIGKILL)


def group_of(mark: Path) -> int:
    """The process group of the one plugin started from a directory; 0 where there is none."""
    for path in Path("/proc").glob("[0-9]*"):
        if str(mark).encode() in _read(path / "cmdline") and (fields := _stat(path)):
            return int(fields[2])
    return 0


def members(group: int) -> list[str]:
    """The living processes of a group; a zombie is only waiting for its parent."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        fields = _stat(path)
        if fields and int(fields[2]) == group and fields[0] != "Z":
            found.append(_read(path / "cmdline").replace(b"\0", b" ").decode())
    return found


def _marked(mark: bytes) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        words = _read(path / "cmdline")
        if mark in words:
            found.append(words.replace(b"\0", b" ").decode(errors="replace"))
    return found


def _stat(process: Path) -> list[str]:
    """State, parent, group."""
    return _read(process / "stat").decode(errors="replace").rpartition(")")[2].split()[:3]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # It has ended in the meantime.
        return b""
