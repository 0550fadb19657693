"""Starts a supervisor and hears from it whether the command runs."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from dayfly.providers.local import errors, layout

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUPERVISOR = Path(__file__).parent / "supervisor" / "__main__.py"
_ANSWER_SECONDS = 20.0


def start_supervisor(directory: Path, document: Mapping[str, object]) -> None:
    """Start the job of a directory that has not been started.

    The document, which holds secrets, goes through a pipe. A command that cannot be
    executed takes the directory with it.

    Raises:
        InvalidField: The command could not be executed.
        DeadlinePassed: No answer came in time; it may still start.
        ProviderFailed: The supervisor broke.
    """
    with (directory / layout.SUPERVISOR_LOG).open("ab") as log:
        # Nothing of site-packages, nothing of our environment, and a session of its own, so
        # that it outlives the plugin and whatever ends the plugin's group.
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(_SUPERVISOR), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={},
            cwd="/",
            start_new_session=True,
        )
    assert process.stdin  # noqa: S101 - for the type checker
    assert process.stdout  # noqa: S101 - for the type checker
    with process.stdout as answers:
        # A supervisor that breaks before it reads shows in its answer.
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(json.dumps(document).encode())
        process.wait(_ANSWER_SECONDS)
        answer = _answer(answers, directory)
    if not answer:
        said = (directory / layout.SUPERVISOR_LOG).read_text(errors="replace")
        if not (directory / layout.STARTED).exists():
            shutil.rmtree(directory)
        raise errors.supervisor_broke(directory.name, said)
    told = json.loads(answer)
    if told["outcome"] == layout.NOT_EXECUTED:
        shutil.rmtree(directory)
        argv = document["argv"]
        assert isinstance(argv, list)  # noqa: S101 - for the type checker
        raise errors.not_executed(told["errno"], told["path"], tuple(argv), str(document["cwd"]))


def _answer(pipe: IO[bytes], directory: Path) -> bytes:
    deadline, answer = time.monotonic() + _ANSWER_SECONDS, b""
    while not answer.endswith(b"\n"):
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
            raise errors.supervisor_silent(directory.name, _ANSWER_SECONDS)
        data = os.read(pipe.fileno(), 4096)
        if not data:
            break
        answer += data
    return answer
