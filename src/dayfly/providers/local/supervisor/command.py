"""Starts the job's command in a session of its own."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from typing import NamedTuple, NoReturn

from dayfly.providers.local.supervisor import kernel

#: What the plugin, or whoever started it, may have ignored; a command expects the defaults.
_TO_RESTORE = (
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD,
    signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGXFSZ,
)  # fmt: skip

#: A process may map more than it uses: the hard bound leaves at least this much above the limit.
_ROOM_BYTES = 256 * 1024 * 1024


class Command(NamedTuple):
    """What to execute.

    Attributes:
        argv: Program and arguments.
        env: The whole environment.
        cwd: Directory to start in.
        memory_bytes: What all its processes may use, or None.
    """

    argv: list[str]
    env: dict[str, str]
    cwd: str
    memory_bytes: int | None


class Process(NamedTuple):
    """A command that runs.

    Attributes:
        pid: Its process, session and group.
        pipes: Where its stdout and stderr come out.
    """

    pid: int
    pipes: tuple[int, int]


def start(command: Command) -> Process:
    """Execute a command.

    Raises:
        OSError: It could not be executed; ``filename`` is what was in the way.
    """
    out, err, failure = os.pipe(), os.pipe(), os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(command, parent, out[1], err[1], failure[1])
    for _, writer in (out, err, failure):
        os.close(writer)
    with os.fdopen(failure[0], "rb") as pipe:
        told = pipe.read().decode()
    if told:
        os.waitpid(pid, 0)
        number, _, where = told.partition(" ")
        raise OSError(int(number), os.strerror(int(number)), where)
    for reader in (out[0], err[0]):
        os.set_blocking(reader, False)
    return Process(pid, (out[0], err[0]))


def _become(command: Command, parent: int, out: int, err: int, failure: int) -> NoReturn:
    where = command.cwd
    try:
        os.setsid()
        if not kernel.die_with_parent(parent):
            os._exit(127)
        os.dup2(out, 1)
        os.dup2(err, 2)
        signal.set_wakeup_fd(-1)
        for number in _TO_RESTORE:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.umask(0o022)
        _bound_memory(command.memory_bytes)
        os.chdir(command.cwd)
        where = command.argv[0]
        os.execvpe(command.argv[0], command.argv, command.env)  # noqa: S606 - the job itself
    except OSError as error:
        with contextlib.suppress(OSError):  # The supervisor is gone, and nobody listens.
            os.write(failure, f"{error.errno} {where}".encode())
    finally:
        os._exit(127)


def _bound_memory(limit: int | None) -> None:
    """Keep one process from taking the machine's memory between two looks of the supervisor."""
    if limit is None:
        return
    bound = max(4 * limit, limit + _ROOM_BYTES)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        bound = min(bound, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
