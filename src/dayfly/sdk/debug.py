"""A plugin that a person started: it keeps its terminal, and hosts come to it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from dayfly.contract.errors import DayflyError
from dayfly.contract.handshake import REATTACH_ENV
from dayfly.sdk import handshake, server
from dayfly.sdk.ending import Ending
from dayfly.sdk.process import close
from dayfly.sdk.stdio import PrintedOutput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dayfly.sdk.plugin import Plugin

_CALLS_SECONDS: Final = 1.0


def run_by_hand(plugin: Plugin, environ: Mapping[str, str]) -> NoReturn:
    """Print how hosts find this process, and serve them until Ctrl-C.

    Nothing is redirected and nothing watches a parent: what the plugin prints is on the
    terminal, and a debugger may use that.

    Args:
        plugin: What to serve.
        environ: Of this process.

    Raises:
        SystemExit: Always; with 1 and a sentence on stderr where it cannot listen.
    """
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    for name in ("asyncio", "grpc"):  # They tell each turn of the loop.
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        asyncio.run(_serve(plugin, environ))
    except DayflyError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


async def _serve(plugin: Plugin, environ: Mapping[str, str]) -> None:
    ending = Ending()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, ending.begin, "Ctrl-C")
    serving = server.build(plugin, ending, PrintedOutput())
    with handshake.socket_path(environ) as path:
        with handshake.closed_to_others():
            server.listen(serving, path)
            await serving.start()
        print(_welcome(plugin.name, path), flush=True)
        await ending.wait()
        await serving.stop(_CALLS_SECONDS)
        await close(plugin)


def _welcome(name: str, path: Path) -> str:
    address = {"Network": "unix", "String": str(path)}
    entry = {"Protocol": "grpc", "Pid": os.getpid(), "Addr": address}
    return (
        f"Plugin {name} listens. To have dayfly use it, in another terminal:\n\n"
        f"    export {REATTACH_ENV}={shlex.quote(json.dumps({name: entry}))}\n\n"
        "Ctrl-C ends it."
    )
