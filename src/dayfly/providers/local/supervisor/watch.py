"""Watches a running command to its end: output, limits, requests to stop."""

from __future__ import annotations

import os
import resource
import select
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

from dayfly.providers.local import layout
from dayfly.providers.local.supervisor import kernel

if TYPE_CHECKING:
    from dayfly.providers.local.supervisor.command import Process
    from dayfly.providers.local.supervisor.output import Output

#: Between two looks at what the job uses, and between two rounds of kills.
_LOOK_SECONDS = 0.05
#: For output that is still in the pipes when every process is gone, and for the processes
#: that a KILL does not end at once.
_DRAIN_SECONDS = 10.0
#: A command that failed this far over its memory did so for want of memory.
_CLEARLY_OVER_BYTES = 64 * 1024 * 1024


class Limits(NamedTuple):
    """What the job may use.

    Attributes:
        timeout_seconds: Wall-clock time.
        cpu_time_seconds: CPU time of all its processes.
        memory_bytes: Anonymous memory of all its processes.
        grace_seconds: Between TERM and KILL.
    """

    timeout_seconds: float | None
    cpu_time_seconds: float | None
    memory_bytes: int | None
    grace_seconds: float


class End(NamedTuple):
    """How the command ended, in the kernel's words.

    Attributes:
        code: Its exit code, when it exited.
        signal: What ended it, when a signal did.
        stop: Why the supervisor stopped it; empty when it did not.
        cut: Output may be missing: something still held the pipes.
    """

    code: int | None
    signal: int | None
    stop: str
    cut: bool


class Watch:
    """One command's watch; ``run`` returns when nothing of it is left."""

    def __init__(
        self, process: Process, output: Output, limits: Limits, *, control: int, wakeup: int
    ) -> None:
        self._pid, self._output, self._limits = process.pid, output, limits
        self._control, self._wakeup = control, wakeup
        self._pipes = {process.pipes[0]: layout.STDOUT, process.pipes[1]: layout.STDERR}
        self._poll = select.poll()
        for descriptor in (*process.pipes, control, wakeup):
            self._poll.register(descriptor, select.POLLIN)
        self._began = time.monotonic()
        self._stop = ""
        self._kill_at: float | None = None
        self._status: int | None = None
        self._peak_bytes = 0
        self._drained_by: float | None = None
        self._childless = False

    def run(self) -> End:
        """Watch until the command, all that it started and its output have ended."""
        while not self._over():
            for descriptor, _ in self._poll.poll(self._pause_milliseconds()):
                self._attend(descriptor)
            self._reap()
            self._enforce()
        assert self._status is not None  # noqa: S101 - for the type checker
        code = os.waitstatus_to_exitcode(self._status)
        if not self._stop and code != 0 and self._is_clearly_over_memory():
            self._stop = layout.STOP_MEMORY
        return End(
            code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            stop=self._stop,
            cut=bool(self._pipes) or not self._childless,
        )

    def _over(self) -> bool:
        if self._drained_by is None:
            return False
        ended = self._childless and not self._pipes
        return ended or time.monotonic() >= self._drained_by

    def _pause_milliseconds(self) -> float | None:
        limits, now = self._limits, time.monotonic()
        if limits.memory_bytes or limits.cpu_time_seconds or self._drained_by is not None:
            return _LOOK_SECONDS * 1000
        if self._kill_at is not None:
            return max(self._kill_at - now, _LOOK_SECONDS) * 1000
        if limits.timeout_seconds is not None:
            return max(self._began + limits.timeout_seconds - now, 0) * 1000 + 1
        return None

    def _attend(self, descriptor: int) -> None:
        if descriptor == self._wakeup:
            numbers = os.read(self._wakeup, 4096)
            if signal.SIGTERM in numbers or signal.SIGINT in numbers:
                self._begin_stop(layout.STOP_CANCEL)
        elif descriptor == self._control:
            os.read(self._control, 4096)
            self._begin_stop(layout.STOP_CANCEL)
        elif not self._output.take(descriptor, self._pipes[descriptor]):
            self._poll.unregister(descriptor)
            os.close(descriptor)
            del self._pipes[descriptor]

    def _reap(self) -> None:
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                self._childless = True
                return
            if pid == 0:
                return
            if pid == self._pid:
                self._status = status
                self._peak_bytes = used.ru_maxrss * 1024
                self._drained_by = time.monotonic() + _DRAIN_SECONDS

    def _enforce(self) -> None:
        now = time.monotonic()
        if self._drained_by is not None:
            # Whatever the command left behind ends with it, as in a container.
            if not self._childless:
                kernel.signal_tree(self._pid, signal.SIGKILL)
        elif self._kill_at is not None:
            if now >= self._kill_at:
                kernel.signal_tree(self._pid, signal.SIGKILL)
        else:
            self._hold_to_limits(now)

    def _hold_to_limits(self, now: float) -> None:
        limits = self._limits
        if limits.timeout_seconds is not None and now - self._began >= limits.timeout_seconds:
            self._begin_stop(layout.STOP_TIMEOUT)
        elif limits.memory_bytes or limits.cpu_time_seconds:
            used = kernel.usage()
            reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu_seconds = used.cpu_seconds + reaped.ru_utime + reaped.ru_stime
            if limits.memory_bytes and used.memory_bytes > limits.memory_bytes:
                self._begin_stop(layout.STOP_MEMORY, grace_seconds=0)
            elif limits.cpu_time_seconds and cpu_seconds >= limits.cpu_time_seconds:
                self._begin_stop(layout.STOP_CPU_TIME)

    def _begin_stop(self, why: str, *, grace_seconds: float | None = None) -> None:
        if self._stop or self._status is not None:
            return
        grace = self._limits.grace_seconds if grace_seconds is None else grace_seconds
        self._stop, self._kill_at = why, time.monotonic() + grace
        if grace > 0:
            kernel.signal_tree(self._pid, signal.SIGTERM)
            kernel.signal_tree(self._pid, signal.SIGCONT)
        else:
            kernel.signal_tree(self._pid, signal.SIGKILL)

    def _is_clearly_over_memory(self) -> bool:
        limit = self._limits.memory_bytes
        return limit is not None and self._peak_bytes > limit + _CLEARLY_OVER_BYTES
