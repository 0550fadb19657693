"""Plugins that somebody started by hand, in a debugger say: used as they are, and left alone.

``DAYFLY_REATTACH_PLUGINS`` is a JSON object of plugins' names, in the manner of Terraform's
``TF_REATTACH_PROVIDERS``; a plugin in debug mode prints what to put there.
"""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.contract.handshake import (
    REATTACH_ENV,
    HandshakeLine,
    parse_handshake_line,
)
from dayfly.host.process import PluginProcess

if TYPE_CHECKING:
    from dayfly.host.discovery import InstalledPlugin

_LOOK_SECONDS = 0.2
_FORM = (
    '{"NAME": {"Protocol": "grpc", "Pid": 1234, "Addr": {"Network": "unix", "String": "/PATH"}}}'
)


class ReattachedProcess(PluginProcess):
    """A plugin that runs already. It has its own environment, and it outlives its host."""

    ours = False
    stdout = stderr = None

    def __init__(self, plugin: InstalledPlugin, pid: int, line: HandshakeLine) -> None:
        self.plugin = plugin
        self.first_line = line.render()
        self._pid = pid
        self._closed_event = threading.Event()

    @property
    def pid(self) -> int:
        """Of the process that somebody else started."""
        return self._pid

    @property
    def returncode(self) -> None:
        """Never known: only a parent is told."""
        return None

    def wait(self) -> None:
        """Until it has ended, or nobody here needs it any more."""
        while _runs(self._pid) and not self._closed_event.wait(_LOOK_SECONDS):
            pass

    def close(self) -> None:
        """Let go of it; it runs on."""
        self._closed_event.set()


def reattached(plugin: InstalledPlugin, document: str) -> ReattachedProcess | None:
    """The running process of this plugin; None where none is named.

    Args:
        plugin: What is wanted.
        document: Value of ``DAYFLY_REATTACH_PLUGINS``.

    Raises:
        InvalidField: It is not what ``_FORM`` shows.
        FailedPrecondition: The process named has ended, or its socket is gone.
    """
    try:
        entry = json.loads(document)[plugin.name]
    except KeyError:
        return None
    except (ValueError, TypeError, RecursionError):
        raise _refused(document) from None
    pid, line = _read(plugin.name, entry)
    path = line.path
    if not _runs(pid) or not os.access(path, os.F_OK):
        raise FailedPrecondition(
            f"{REATTACH_ENV} names process {pid} for plugin {plugin.name!r}, and it does not "
            f"listen at {path} any more",
            advice=f"Start the plugin again, or unset {REATTACH_ENV}.",
        )
    return ReattachedProcess(plugin, pid, line)


def _read(name: str, entry: Any) -> tuple[int, HandshakeLine]:
    try:
        protocol, pid = entry["Protocol"], entry["Pid"]
        network, path = entry["Addr"]["Network"], entry["Addr"]["String"]
        texts = all(isinstance(text, str) and "|" not in text for text in (network, path))
        if type(pid) is not int or pid < 1 or not texts:
            raise _refused(entry, name)
    except (KeyError, TypeError):
        raise _refused(entry, name) from None
    # Where it listens has to be what a plugin may say at its handshake.
    return pid, parse_handshake_line(f"1|1|{network}|{path}|{protocol}|")


def _refused(got: object, name: str = "") -> InvalidField:
    place = f"{REATTACH_ENV}[{name!r}]" if name else REATTACH_ENV
    return InvalidField(f"{place} is {str(got)[:120]!r}; allowed: {_FORM}", field=REATTACH_ENV)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # Another user's; whether it may be used, its socket says.
    return True
