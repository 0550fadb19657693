"""``serve``: a plugin's whole life, from its handshake to its end."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from dayfly.contract.errors import DayflyError
from dayfly.sdk import handshake
from dayfly.sdk.descriptors import Descriptors

if TYPE_CHECKING:
    from dayfly.sdk.plugin import Plugin


def serve(plugin: Plugin) -> NoReturn:
    """Shake hands with the host that started this process, and serve until it says stop.

    Started by hand with ``--debug`` or ``DAYFLY_DEBUG_PLUGIN=1``, in a debugger say, it
    prints how hosts find it, and serves one after the other until Ctrl-C.

    Call it last in ``__main__``, and write nothing to stdout before. Everything that the
    process prints from then on reaches the host as output of the plugin, and what it logs
    with ``logging`` as its log.

    Raises:
        SystemExit: Always; with 1 and a sentence on stderr where no host is there.
    """
    parent = os.getppid()
    environ = handshake.take_environment()
    if handshake.wants_debugging(environ, sys.argv[1:]):
        from dayfly.sdk.debug import run_by_hand  # noqa: PLC0415 - seldom

        run_by_hand(plugin, environ)
    try:
        handshake.check_cookie(environ, plugin.name)
        handshake.check_version(environ)
    except DayflyError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    descriptors = Descriptors()
    # A terminal's Ctrl-C is the host's affair. Not SIG_IGN, which jobs would inherit.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    from dayfly.sdk.process import run  # noqa: PLC0415 - gRPC, after the cheap refusals

    run(plugin, descriptors, environ, parent)
