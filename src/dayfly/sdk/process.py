"""The event loop of a plugin's process: listen, announce, serve, end."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from dayfly.contract.errors import DayflyError
from dayfly.sdk import handshake, log, server
from dayfly.sdk.ending import Ending, watch_parent
from dayfly.sdk.stdio import PrintedOutput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.sdk.descriptors import Descriptors
    from dayfly.sdk.plugin import Plugin

_logger = logging.getLogger(__name__)

#: For calls under way at the end. Hosts kill two seconds after Shutdown.
_CALLS_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 5.0


def run(
    plugin: Plugin, descriptors: Descriptors, environ: Mapping[str, str], parent: int
) -> NoReturn:
    """Serve until the end, then leave.

    Args:
        plugin: What to serve.
        descriptors: Taken before anything could print.
        environ: As the host gave it, with the handshake's variables.
        parent: Process id of the host.
    """
    log.start(descriptors.log)
    status = 0
    try:
        asyncio.run(_serve(plugin, descriptors, environ, parent))
    except DayflyError as error:
        _logger.error("%s", error)  # noqa: TRY400 - a sentence, not a fault in the code
        status = 1
    except Exception:
        _logger.exception("plugin %r cannot be served", plugin.name)
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking an interpreter with gRPC apart takes longer than all the above, and waits for
    # threads that a blocking call may hold.
    os._exit(status)


async def _serve(
    plugin: Plugin, descriptors: Descriptors, environ: Mapping[str, str], parent: int
) -> None:
    ending = Ending()
    output = PrintedOutput()
    serving = server.build(plugin, ending, output)
    with handshake.socket_path(environ) as path:
        with handshake.closed_to_others():
            server.listen(serving, path)
            await serving.start()
        descriptors.announce(handshake.line_for(path, environ))
        output.collect(*descriptors.redirect())
        watch_parent(ending, parent)
        await ending.wait()
        descriptors.restore()
        await serving.stop(_CALLS_SECONDS)
        await close(plugin)


async def close(plugin: Plugin) -> None:
    """Have the plugin let go of what it opened, within a bound; a failure is logged."""
    if plugin.close is None:
        return
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await plugin.close()
    except Exception:
        _logger.exception("plugin %r could not be closed", plugin.name)
