"""A plugin's process: its own session, an allowlisted environment, a private socket."""

from __future__ import annotations

import atexit
import os
import signal
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.contract.errors import FailedPrecondition, ProviderFailed
from dayfly.contract.handshake import REATTACH_ENV
from dayfly.host.environment import PYTHON, check_pattern, plugin_environment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

    from dayfly.host.discovery import InstalledPlugin

#: A Go plugin adds about 20 bytes to it, and a socket's path has some 100 in all.
_MAX_SOCKET_DIR_BYTES = 70
_REAP_SECONDS = 5.0

_running: set[PluginProcess] = set()


class PluginProcess:
    """A started plugin, before anybody has spoken to it.

    Attributes:
        plugin: What was started.
        popen: The process; its stdout and stderr are pipes.
        socket_dir: Where its socket will be.
        ours: It was started here, and ends here.
        first_line: Its handshake line where that is known already; else empty.
    """

    ours = True
    first_line = ""

    def __init__(
        self, plugin: InstalledPlugin, popen: subprocess.Popen[bytes], socket_dir: Path
    ) -> None:
        self.plugin = plugin
        self.popen = popen
        self.socket_dir = socket_dir
        self._owner = os.getpid()
        self._closed = False
        _running.add(self)

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self.popen.pid

    @property
    def returncode(self) -> int | None:
        """As Popen's; None as long as it is not known."""
        return self.popen.returncode

    @property
    def stdout(self) -> IO[bytes] | None:
        """What it prints; None where that is not led here."""
        return self.popen.stdout

    @property
    def stderr(self) -> IO[bytes] | None:
        """The same of its stderr."""
        return self.popen.stderr

    def wait(self) -> None:
        """Until it has ended."""
        self.popen.wait()

    def close(self) -> None:
        """Kill the plugin with its whole group, reap it, remove its directory.

        Raises:
            ProviderFailed: The kernel did not let it go within 5 seconds.
        """
        if self._closed or self._owner != os.getpid():
            return  # A fork of the host inherits this object, not the plugin.
        self._closed = True
        _running.discard(self)
        _kill_group(self.popen.pid)
        for pipe in (self.popen.stdout, self.popen.stderr):
            if pipe is not None:
                pipe.close()
        _remove(self.socket_dir)
        try:
            self.popen.wait(_REAP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ProviderFailed(
                f"plugin {self.plugin.name!r} (pid {self.popen.pid}) was killed "
                f"and did not end within {_REAP_SECONDS:g} s"
            ) from error


def spawn(plugin: InstalledPlugin, *, pass_env: Iterable[str] = ()) -> PluginProcess:
    """Start a plugin and return at once; ``connect`` speaks to it.

    One that ``DAYFLY_REATTACH_PLUGINS`` names runs already, and is not started.

    Call it on a thread that lives as long as the plugin should: Linux tells a process
    that its parent died when the thread that started it ends.

    Args:
        plugin: From ``find_plugin``.
        pass_env: Further variables of this process that the plugin inherits, or prefixes
            of their names with ``*``.

    Raises:
        FailedPrecondition: The system could not execute it.
        InvalidField: Something in ``pass_env`` is no variable's name.
    """
    if running := os.environ.get(REATTACH_ENV):
        from dayfly.host.reattach import reattached  # noqa: PLC0415 - only for debugging

        if found := reattached(plugin, running):
            return found
    asked = [check_pattern(name, f"pass_env[{n}]") for n, name in enumerate(pass_env)]
    patterns = [*plugin.manifest.environment, *asked]
    if plugin.manifest.module:
        patterns += PYTHON
    socket_dir = _make_socket_dir()
    try:
        # The umask stays the user's: what a job of the local provider writes is the user's
        # affair, and the directory around the socket is closed to others anyway.
        popen = subprocess.Popen(
            plugin.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=plugin.directory,
            env=plugin_environment(patterns, socket_dir=socket_dir),
            start_new_session=True,
        )
    except OSError as error:
        _remove(socket_dir)
        raise FailedPrecondition(
            f"plugin {plugin.name!r} could not be started: {plugin.argv[0]}: {error.strerror}",
            advice="Check that the file is a program for this machine, and its first line if "
            "it is a script.",
        ) from error
    return PluginProcess(plugin, popen, socket_dir)


def _make_socket_dir() -> Path:
    for base in (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp"):  # noqa: S108
        if not base or not os.access(base, os.W_OK | os.X_OK):
            continue
        # mkdir refuses a name that exists, a planted symbolic link too.
        path = Path(base, f"dayfly-{os.urandom(6).hex()}").absolute()
        if len(os.fsencode(path)) <= _MAX_SOCKET_DIR_BYTES:
            path.mkdir(mode=stat.S_IRWXU)
            return path
    raise FailedPrecondition(
        "there is no place for a plugin's socket: neither XDG_RUNTIME_DIR, TMPDIR nor /tmp is a "
        "directory that can be written and has a short path"
    )


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # All of it has ended.
    except PermissionError:
        return  # macOS says so of a group of nothing but zombies.


def _remove(directory: Path) -> None:
    from shutil import rmtree  # noqa: PLC0415 - not needed before the end

    rmtree(directory, ignore_errors=True)


@atexit.register
def _close_all() -> None:
    for process in tuple(_running):
        process.close()
