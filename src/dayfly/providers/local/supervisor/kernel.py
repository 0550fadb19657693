"""What the kernel knows of the job's processes, and how it is told about them.

On Linux the supervisor adopts every orphan below it, so that no descendant gets away, and
the command dies with the supervisor. Elsewhere only the command's process group is reached.
"""
# ruff: noqa: PTH123, PTH208 - pathlib would be a third of a supervisor's start

from __future__ import annotations

import os
import signal
import sys
from typing import NamedTuple

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """What the live processes of a job use.

    Attributes:
        memory_bytes: Resident memory that is no file's, of all of them.
        cpu_seconds: Of all of them and of the children that they waited for.
    """

    memory_bytes: int
    cpu_seconds: float


def adopt_orphans() -> None:
    """From now on, orphans among our descendants become our children."""
    if _LINUX:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> bool:
    """Have the calling process killed when its parent dies; False where it has already."""
    if _LINUX:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def _prctl(option: int, value: int) -> None:
    import ctypes  # noqa: PLC0415 - only Linux needs it

    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}, {value}): {os.strerror(number)}")


def signal_tree(group: int, number: int) -> None:
    """Send a signal to every descendant, or where they are not known to the command's group."""
    if not _LINUX:
        _send(os.killpg, group, number)
        return
    for pid in descendants():
        _send(os.kill, pid, number)


def _send(send: object, pid: int, number: int) -> None:
    assert callable(send)  # noqa: S101 - for the type checker
    try:
        send(pid, number)
    except ProcessLookupError:
        return  # It ended in the meantime, which is as good.
    except PermissionError as error:
        # A set-uid program of another user; what can be stopped is stopped all the same.
        print(f"signal {number} to {pid}: {error}", file=sys.stderr)


def descendants() -> list[int]:
    """Every process below this one, parents first."""
    return [pid for pid, _ in _walk()]


def usage() -> Usage:
    """What the processes below this one use now."""
    memory, ticks = 0, 0
    for pid, fields in _walk():
        # utime, stime, cutime, cstime: fields 14 to 17 of proc(5), counted from the state.
        ticks += sum(map(int, fields[11:15]))
        memory += _anonymous_pages(pid)
    return Usage(memory * _PAGE_BYTES, ticks / _TICKS_PER_SECOND)


def _walk() -> list[tuple[int, list[str]]]:
    """(pid, fields of /proc/PID/stat from the state on) of each descendant."""
    if not _LINUX:
        return []
    below: dict[int, list[tuple[int, list[str]]]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(entry)):
            below.setdefault(int(fields[1]), []).append((int(entry), fields))
    found, parents = [], [os.getpid()]
    for parent in parents:
        for pid, fields in below.get(parent, ()):
            found.append((pid, fields))
            parents.append(pid)
    return found


def _stat(pid: str) -> list[str] | None:
    text = _read(f"/proc/{pid}/stat")
    # The program's name, in parentheses, may hold anything.
    return text.rpartition(")")[2].split() if text else None


def _anonymous_pages(pid: int) -> int:
    text = _read(f"/proc/{pid}/statm")
    if not text:
        return 0
    _, resident, shared, *_ = map(int, text.split())
    return max(resident - shared, 0)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # The process ended.
