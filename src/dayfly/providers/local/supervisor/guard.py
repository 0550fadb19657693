"""The process over the supervisor: when that is killed, nothing of its job goes on unseen."""

from __future__ import annotations

import os
import signal
import time

from dayfly.providers.local.supervisor import kernel

_ROUND_SECONDS = 0.05
_LAST_ROUND_SECONDS = 10.0


def guard(supervisor: int) -> None:
    """Wait for the supervisor, and end whatever it left.

    After a supervisor that did its work there is nothing. After one that was killed the
    kernel makes its job's processes ours; the job is lost, and must not run on.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The launch and its answer are the supervisor's: they end when it does.
    os.closerange(0, 2)
    os.waitpid(supervisor, 0)
    deadline = time.monotonic() + _LAST_ROUND_SECONDS
    while time.monotonic() < deadline:
        kernel.signal_tree(supervisor, signal.SIGKILL)
        if _has_no_children():
            return
        time.sleep(_ROUND_SECONDS)


def _has_no_children() -> bool:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False
