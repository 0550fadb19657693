"""Who writes where: the handshake, the log and stray prints each have their own descriptor.

A host reads one line from stdout and takes anything before it for a broken plugin, so
nobody but the handshake may write there; what Python, C code and child processes print
goes to stderr until the line is out, and into pipes after it.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Final

_STDOUT: Final = 1
_STDERR: Final = 2


class Descriptors:
    """The process's original stdout and stderr, taken at its very start.

    Attributes:
        log: The original stderr, which the host reads as hclog lines.
    """

    def __init__(self) -> None:
        self._handshake = os.dup(_STDOUT)
        self.log = os.dup(_STDERR)
        os.dup2(_STDERR, _STDOUT)
        # What an import printed before this is still in Python's buffer; it goes to stderr.
        sys.stdout.flush()

    def announce(self, line: str) -> None:
        """Write the handshake line, the only thing that stdout ever carries.

        Raises:
            OSError: Nobody reads it any more.
        """
        data = line.encode() + b"\n"
        while data:
            data = data[os.write(self._handshake, data) :]

    def redirect(self) -> tuple[int, int]:
        """Lead what is printed from now on into two pipes.

        Returns:
            The reading ends, of stdout and of stderr.
        """
        _flush()
        ends = tuple(_pipe_over(number) for number in (_STDOUT, _STDERR))
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(line_buffering=True)
        return ends[0], ends[1]

    def restore(self) -> None:
        """Lead prints to the original stderr again, so that the pipes come to their end."""
        _flush()
        for number in (_STDOUT, _STDERR):
            os.dup2(self.log, number)


def _pipe_over(number: int) -> int:
    reading, writing = os.pipe()
    os.dup2(writing, number)
    os.close(writing)
    return reading


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
