"""Starts a supervisor and hears from it whether the command runs."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.providers.local import errors, layout

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUPERVISOR = Path(__file__).parent / "supervisor" / "__main__.py"
_ANSWER_SECONDS = 20.0


def start_supervisor(directory: Path, document: Mapping[str, object]) -> None:
    """Start the job of a directory that has not been started.

    The document, which holds secrets, goes through a pipe. A launch that comes to nothing
    takes the directory with it.

    Raises:
        InvalidField: The command could not be executed.
        DeadlinePassed: No answer came in time; it may still start.
        ProviderFailed: The supervisor broke.
    """
    try:
        answer = _ask(directory, json.dumps(document).encode())
    except OSError:
        if not (directory / layout.STARTED).exists():
            shutil.rmtree(directory)
        raise
    if not answer:
        said = (directory / layout.SUPERVISOR_LOG).read_text(errors="replace")
        if not (directory / layout.STARTED).exists():
            shutil.rmtree(directory)
        raise errors.supervisor_broke(directory.name, said)
    told = json.loads(answer)
    if told["outcome"] == layout.NOT_EXECUTED:
        shutil.rmtree(directory)
        raise _refusal(told, document)


def _ask(directory: Path, document: bytes) -> bytes:
    deadline = time.monotonic() + _ANSWER_SECONDS
    with (
        (directory / layout.SUPERVISOR_LOG).open("ab") as log,
        # Nothing of site-packages, nothing of our environment, and a session of its own, so
        # that it outlives the plugin and whatever ends the plugin's group.
        subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(_SUPERVISOR), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={},
            cwd="/",
            start_new_session=True,
        ) as process,
    ):
        assert process.stdin  # noqa: S101 - for the type checker
        assert process.stdout  # noqa: S101 - for the type checker
        conversation = _Conversation(process.stdin.fileno(), process.stdout.fileno(), deadline)
        try:
            conversation.say(document)
            process.stdin.close()
            answer = conversation.hear()
            process.wait(max(deadline - time.monotonic(), 0))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            # Only the process that we wait for: the supervisor itself is its child by now.
            process.kill()
            raise errors.supervisor_silent(directory.name, _ANSWER_SECONDS) from error
    return answer


class _Conversation:
    """One message out, one line back, within a deadline."""

    def __init__(self, out: int, back: int, deadline: float) -> None:
        self._out, self._back, self._deadline = out, back, deadline

    def say(self, message: bytes) -> None:
        os.set_blocking(self._out, False)
        while message:
            self._await(self._out, select.POLLOUT)
            try:
                message = message[os.write(self._out, message) :]
            except BrokenPipeError:
                return  # It broke before it read all, as its answer will show.

    def hear(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            self._await(self._back, select.POLLIN)
            data = os.read(self._back, 4096)
            if not data:
                break
            line += data
        return line

    def _await(self, descriptor: int, events: int) -> None:
        poll = select.poll()
        poll.register(descriptor, events)
        if not poll.poll(max(self._deadline - time.monotonic(), 0) * 1000):
            raise TimeoutError


def _refusal(told: Mapping[str, Any], document: Mapping[str, object]) -> Exception:
    argv = document["argv"]
    assert isinstance(argv, list)  # noqa: S101 - for the type checker
    return errors.not_executed(told["errno"], told["path"], tuple(argv), str(document["cwd"]))
