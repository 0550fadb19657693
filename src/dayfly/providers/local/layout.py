"""What is in a job's directory, for the supervisor that writes it and the plugin that reads it.

Imported by the supervisor, so it stays within the standard library.
"""
# ruff: noqa: PTH104, PTH118 - pathlib would be a third of a supervisor's start

from __future__ import annotations

import json
import os
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1

#: Who the job is: key, name, digest, labels, time. Never its environment.
JOB: Final = "job.json"
#: There before the command is: a job that has it is never started again.
STARTED: Final = "started.json"
#: How the job ended.
RESULT: Final = "result.json"
#: Held by the one supervisor for as long as it lives.
LOCK: Final = "lock"
#: A FIFO that has a writer exactly as long as the supervisor lives.
ALIVE: Final = "alive"
#: A FIFO on which the supervisor is asked to stop the job.
CONTROL: Final = "control"
#: One ENTRY for each read of the job's output.
INDEX: Final = "times"
#: What the supervisor itself has to say, when it breaks.
SUPERVISOR_LOG: Final = "supervisor.log"

STDOUT: Final = 0
STDERR: Final = 1
#: Files of the two streams, by number.
STREAMS: Final = ("stdout", "stderr")

#: Nanoseconds since 1970, and (end of the stream so far) * 2 + number of the stream.
ENTRY: Final = struct.Struct("<qq")

#: Longest read of the job's output, and so the most bytes that one ENTRY stands for.
READ_BYTES: Final = 64 * 1024

STOP_REQUEST: Final = b"stop\n"

# Why the supervisor stopped a job.
STOP_CANCEL: Final = "cancel"
STOP_TIMEOUT: Final = "timeout"
STOP_CPU_TIME: Final = "cpu_time"
STOP_MEMORY: Final = "memory"
# It never ran: the command could not be executed.
STOP_NEVER_STARTED: Final = "never_started"

# What a supervisor answers to its launch.
RUNNING: Final = "running"
TAKEN: Final = "taken"
NOT_EXECUTED: Final = "not_executed"

_UNFINISHED = ".new"
_RESERVED_BYTES = 4096


def reserve(directory: str, name: str) -> None:
    """Keep room for a small file, so that a full disk does not stop it from being written."""
    path = os.path.join(directory, name) + _UNFINISHED
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, bytes(_RESERVED_BYTES))
    finally:
        os.close(descriptor)


def write_durably(directory: str, name: str, document: Mapping[str, object]) -> None:
    """Make a JSON file that is there whole or not at all, also after a power cut."""
    path = os.path.join(directory, name)
    descriptor = os.open(path + _UNFINISHED, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, json.dumps(document).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(path + _UNFINISHED, path)
    directory_descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(directory_descriptor)
    finally:
        os.close(directory_descriptor)
