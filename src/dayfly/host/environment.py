"""Which variables a plugin inherits: a list of what is allowed, never all there is."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from dayfly.contract import handshake
from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")

#: What any program needs to find its files, speak the user's language and reach the net.
BASE = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_*", "TZ", "TMPDIR", "TEMP", "TMP",
    "XDG_*", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "DAYFLY_STATE_DIR",
)  # fmt: skip

#: Only for a Python module that runs on this very interpreter: without them it could find
#: another dayfly than the one that starts it.
PYTHON = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")

#: Variables of the handshake. The host sets some; none is inherited.
_RESERVED = re.compile(r"PLUGIN_.*|" + handshake.COOKIE_NAME)


def check_pattern(pattern: object, field: str) -> str:
    """A variable's name, or the beginning of some with ``*`` at its end.

    Raises:
        InvalidField: It is something else, or a name that the handshake keeps for itself.
    """
    if not isinstance(pattern, str) or not _PATTERN.fullmatch(pattern):
        allowed = "a variable's name, or a prefix and '*' (never '*' alone)"
        raise InvalidField(f"{field} is {pattern!r}; allowed: {allowed}", field=field)
    if _RESERVED.fullmatch(pattern):
        raise InvalidField(
            f"{field} is {pattern!r}, which the plugin handshake keeps for itself", field=field
        )
    return pattern


def plugin_environment(
    patterns: Iterable[str], *, socket_dir: Path, source: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment of a plugin's process.

    Args:
        patterns: Names and prefixes allowed beyond ``BASE``.
        socket_dir: Private directory in which the plugin puts its socket.
        source: What to take them from; this process's environment by default.
    """
    source = os.environ if source is None else source
    allowed = {*BASE, *patterns}
    prefixes = tuple(p[:-1] for p in allowed if p.endswith("*"))
    inherited = {
        name: value
        for name, value in source.items()
        if (name in allowed or name.startswith(prefixes)) and not _RESERVED.fullmatch(name)
    }
    if "PWD" in allowed:
        # The shell's own may be stale, and the plugin's directory is not the caller's.
        with suppress(FileNotFoundError):  # It may have been removed.
            inherited["PWD"] = os.getcwd()  # noqa: PTH109 - one string, on the fast path
    if "PYTHONPATH" in inherited:
        # Relative to the caller's directory, which is not the plugin's.
        parts = inherited["PYTHONPATH"].split(os.pathsep)
        inherited["PYTHONPATH"] = os.pathsep.join(os.path.abspath(part) for part in parts)  # noqa: PTH100 - one string, on the fast path
    return inherited | {
        handshake.COOKIE_NAME: handshake.COOKIE_VALUE,
        handshake.MIN_PORT_ENV: "10000",
        handshake.MAX_PORT_ENV: "25000",
        handshake.PROTOCOL_VERSIONS_ENV: str(handshake.PROTOCOL_VERSION),
        handshake.SOCKET_DIR_ENV: str(socket_dir),
    }
