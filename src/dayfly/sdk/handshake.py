"""The plugin's side of the handshake."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dayfly.contract import handshake
from dayfly.contract.errors import FailedPrecondition


@dataclass(frozen=True, slots=True)
class Standard:
    """The descriptors that this process was started with.

    Attributes:
        stdout: Where the one line goes.
        stderr: Where the log goes.
    """

    stdout: int
    stderr: int


def take_standard_streams() -> Standard:
    """Keep the real stdout for the line alone: until then, prints go to stderr."""
    real = Standard(os.dup(1), os.dup(2))
    os.dup2(2, 1)
    return real


def check_cookie(name: str) -> None:
    """Refuse to serve a person.

    Raises:
        FailedPrecondition: This process was not started by a host.
    """
    if os.environ.get(handshake.COOKIE_NAME) != handshake.COOKIE_VALUE:
        raise FailedPrecondition(
            f"{name} is a plugin of dayfly and does nothing by itself.",
            advice=f"Run a job through it with: dayfly run --on {name} -- COMMAND",
        )


def check_version() -> None:
    """Take the highest protocol version that both sides know.

    Raises:
        FailedPrecondition: There is none.
    """
    offered = os.environ.get(handshake.PROTOCOL_VERSIONS_ENV, "")
    known = {part.strip() for part in offered.split(",") if part.strip()}
    if known and str(handshake.PROTOCOL_VERSION) not in known:
        raise FailedPrecondition(
            f"the host speaks plugin protocol {offered}; this plugin speaks "
            f"{handshake.PROTOCOL_VERSION}",
            advice="Use a host and a plugin of the same generation.",
        )


def socket_path() -> Path:
    """A fresh path for the socket, in a directory that only this user can enter.

    Raises:
        FailedPrecondition: The path would be longer than a socket's may be.
    """
    given = os.environ.get(handshake.SOCKET_DIR_ENV)
    directory = Path(given) if given else Path(tempfile.mkdtemp(prefix="dayfly-"))
    path = directory / f"p{os.getpid()}"
    if len(os.fsencode(path)) > handshake.MAX_SOCKET_PATH_BYTES:
        raise FailedPrecondition(
            f"the socket's path would be {path}, which is too long for a socket",
            advice=f"Set {handshake.SOCKET_DIR_ENV} or TMPDIR to a shorter directory.",
        )
    return path


def announce(real: Standard, path: Path) -> None:
    """Write the one line, and give the real stdout back."""
    multiplexing = False if os.environ.get(handshake.MULTIPLEX_ENV) else None
    line = handshake.HandshakeLine(str(path), multiplexing).render() + "\n"
    data = line.encode()
    while data:
        data = data[os.write(real.stdout, data) :]
    os.close(real.stdout)
