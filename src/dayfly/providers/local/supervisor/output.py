"""The job's output, from its pipes to its files, with an index of what came when."""
# ruff: noqa: PTH118 - pathlib would be a third of a supervisor's start

from __future__ import annotations

import os
import time

from dayfly.providers.local import layout


class Clock:
    """Time of day that never goes back while the supervisor lives."""

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self._offset + time.monotonic_ns()


class Output:
    """Files that grow as the job prints; an index entry follows the bytes it stands for."""

    def __init__(self, directory: str, clock: Clock) -> None:
        self._clock = clock
        self._files = [_append(directory, name) for name in layout.STREAMS]
        self._index = _append(directory, layout.INDEX)
        self._ends = [0, 0]

    def take(self, pipe: int, stream: int) -> bool:
        """Move what one read gives; False when the pipe has ended."""
        try:
            data = os.read(pipe, layout.READ_BYTES)
        except BlockingIOError:
            return True
        if not data:
            return False
        _write(self._files[stream], data)
        self._ends[stream] += len(data)
        entry = layout.ENTRY.pack(self._clock.now(), self._ends[stream] << 1 | stream)
        _write(self._index, entry)
        return True


def _append(directory: str, name: str) -> int:
    return os.open(os.path.join(directory, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
