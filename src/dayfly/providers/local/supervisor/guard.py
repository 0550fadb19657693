"""The process over the supervisor: when that is killed, nothing of its job goes on unseen."""

from __future__ import annotations

import os
import signal

from dayfly.providers.local.supervisor import kernel

_LAST_ROUND_SECONDS = 10


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
    # Ends this process, should something not die: a guard must not stay for ever either.
    signal.alarm(_LAST_ROUND_SECONDS)
    while True:
        # Again after each death: what had just been forked is ours by then.
        kernel.signal_tree(supervisor, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
