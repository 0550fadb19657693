"""A supervisor's life: detach, take the job, start it, watch it, tell its end."""
# ruff: noqa: PTH110, PTH118 - pathlib would be a third of a supervisor's start

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
from typing import Any

from dayfly.providers.local import layout
from dayfly.providers.local.supervisor import kernel
from dayfly.providers.local.supervisor.command import Command, start
from dayfly.providers.local.supervisor.guard import guard
from dayfly.providers.local.supervisor.output import Clock, Output
from dayfly.providers.local.supervisor.watch import End, Limits, Watch


def main(directory: str) -> int:
    """Supervise the job of a directory.

    The launch comes on stdin: it holds secrets, which are in no file and no argv. The
    answer goes to stdout. stderr is the supervisor's log.
    """
    if os.fork():
        # Whoever launches us waits for this process, and is left with no child of ours.
        os._exit(0)
    kernel.adopt_orphans()
    if supervisor := os.fork():
        guard(supervisor)
        os._exit(0)
    os.umask(0o077)
    with open(0, "rb", closefd=False) as pipe:
        launch = json.load(pipe)
    lock = os.open(os.path.join(directory, layout.LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _answer(layout.TAKEN)
    if os.path.exists(os.path.join(directory, layout.STARTED)):
        return _answer(layout.TAKEN)
    return _supervise(directory, launch)


def _supervise(directory: str, launch: dict[str, Any]) -> int:
    # Open before STARTED is there: a job that has it and no writer here is lost.
    control = os.open(os.path.join(directory, layout.CONTROL), os.O_RDWR | os.O_NONBLOCK)
    alive = os.open(os.path.join(directory, layout.ALIVE), os.O_RDWR | os.O_NONBLOCK)
    wakeup = _wake_on_signals()
    kernel.adopt_orphans()
    clock = Clock()
    output = Output(directory, clock)
    layout.reserve(directory, layout.RESULT)
    layout.write_durably(directory, layout.STARTED, {"time": clock.now(), "pid": os.getpid()})
    _replace_standard(0)
    try:
        process = start(
            Command(launch["argv"], launch["env"], launch["cwd"], launch["memory_bytes"])
        )
    except OSError as error:
        return _refuse(directory, error, clock)
    _answer(layout.RUNNING)
    _replace_standard(1)
    limits = Limits(
        timeout_seconds=launch["timeout_seconds"],
        cpu_time_seconds=launch["cpu_time_seconds"],
        memory_bytes=launch["memory_bytes"],
        grace_seconds=launch["grace_seconds"],
    )
    watch = Watch(process, output, limits, control=control, wakeup=wakeup)
    try:
        result = _told(watch.run())
    except Exception as error:
        # Whatever broke, the job has an end that says so; the traceback goes to the log.
        kernel.signal_tree(process.pid, signal.SIGKILL)
        result = _broken(error)
        raise
    finally:
        layout.write_durably(directory, layout.RESULT, {**result, "ended": clock.now()})
    os.close(alive)
    return 0


def _refuse(directory: str, error: OSError, clock: Clock) -> int:
    """The end of a job that never was; whoever launched it removes it, if still there."""
    result = {"code": None, "signal": None, "stop": layout.STOP_NEVER_STARTED, "cut": False}
    failure = f"{error.filename}: {error.strerror}"
    ended = {**result, "failure": failure, "ended": clock.now()}
    layout.write_durably(directory, layout.RESULT, ended)
    return _answer(layout.NOT_EXECUTED, errno=error.errno, path=str(error.filename))


def _broken(error: Exception) -> dict[str, object]:
    result: dict[str, object] = {"code": None, "signal": None, "stop": "", "cut": True}
    return result | {"failure": f"{type(error).__name__}: {error}"}


def _told(end: End) -> dict[str, object]:
    return {
        "code": end.code,
        "signal": end.signal,
        "stop": end.stop,
        "cut": end.cut,
        "failure": "",
    }


def _wake_on_signals() -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _woken)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return reader


def _woken(*_: object) -> None:
    """The number is in the wakeup pipe."""


def _answer(outcome: str, **details: object) -> int:
    # Whoever launched us may have been killed; the job goes on all the same.
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps({"outcome": outcome, **details}).encode() + b"\n")
    return 0


def _replace_standard(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)
