"""What a plugin checks before it listens, and where it listens."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.contract import handshake
from dayfly.contract.errors import FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SUPPORTED = frozenset({handshake.PROTOCOL_VERSION})


def take_environment() -> dict[str, str]:
    """A copy of the environment; the handshake's own part is for no child of this process."""
    environ = dict(os.environ)
    for name in environ:
        if name == handshake.COOKIE_NAME or name.startswith("PLUGIN_"):
            del os.environ[name]
    return environ


def wants_debugging(environ: Mapping[str, str], arguments: Sequence[str]) -> bool:
    """Whether a person started this process, to have hosts come to it."""
    if handshake.COOKIE_NAME in environ:
        return False  # A host did, whatever it inherited.
    return "--debug" in arguments or environ.get(handshake.DEBUG_ENV) == "1"


def check_cookie(environ: Mapping[str, str], name: str) -> None:
    """Refuse to run for anybody but a host.

    Raises:
        FailedPrecondition: The host's cookie is not in the environment.
    """
    if environ.get(handshake.COOKIE_NAME) != handshake.COOKIE_VALUE:
        raise FailedPrecondition(
            f"{name} is a plugin: a host starts it and speaks to it over a socket, and it does "
            "nothing when it is run by hand.",
            advice=f"To run a job with it: dayfly run --on {name} -- COMMAND. To debug it, start "
            "it with --debug.",
        )


def check_version(environ: Mapping[str, str]) -> None:
    """Find a protocol version that the host speaks too; there is one so far.

    Raises:
        FailedPrecondition: The host speaks none of ours.
    """
    offered = environ.get(handshake.PROTOCOL_VERSIONS_ENV, "")
    spoken = {int(part) for part in offered.split(",") if part.strip().isdecimal()}
    if offered and not spoken & _SUPPORTED:
        raise FailedPrecondition(
            f"the host speaks plugin protocol {offered!r}, this plugin "
            f"{', '.join(map(str, sorted(_SUPPORTED)))}",
            advice="Update the older of the two.",
        )


def line_for(path: Path, environ: Mapping[str, str]) -> str:
    """The handshake line; a seventh part only for hosts that ask about multiplexing."""
    multiplexing = False if environ.get(handshake.MULTIPLEX_ENV) else None
    return handshake.HandshakeLine(str(path), multiplexing).render()


@contextmanager
def socket_path(environ: Mapping[str, str]) -> Iterator[Path]:
    """A fresh path for a socket: in the host's directory, or in a private one of our own.

    Raises:
        FailedPrecondition: The host's directory cannot be used, or there is no place.
    """
    given = environ.get(handshake.SOCKET_DIR_ENV)
    directory = Path(given) if given else _private_directory(environ)
    path = directory / f"plugin-{os.urandom(4).hex()}"
    try:
        if given:
            _check(path)
        yield path
    finally:
        path.unlink(missing_ok=True)
        if not given:
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def closed_to_others() -> Iterator[None]:
    """What is made in here is the user's alone; the umask of jobs stays as it was."""
    before = os.umask(stat.S_IRWXG | stat.S_IRWXO)
    try:
        yield
    finally:
        os.umask(before)


def _check(path: Path) -> None:
    size = len(os.fsencode(path))
    usable = path.is_absolute() and os.access(path.parent, os.W_OK | os.X_OK)
    if usable and size <= handshake.MAX_SOCKET_PATH_BYTES:
        return
    raise FailedPrecondition(
        f"the socket cannot be made in {handshake.SOCKET_DIR_ENV}={path.parent}: it has to be an "
        f"absolute directory that can be written, with a path of at most "
        f"{handshake.MAX_SOCKET_PATH_BYTES - len(path.name) - 1} bytes"
    )


def _private_directory(environ: Mapping[str, str]) -> Path:
    for base in (environ.get("TMPDIR"), "/tmp"):  # noqa: S108 - a private directory in it
        if not base or not os.access(base, os.W_OK | os.X_OK):
            continue
        # mkdir refuses a name that exists, a planted symbolic link too.
        directory = Path(base, f"dayfly-{os.urandom(6).hex()}").absolute()
        if len(os.fsencode(directory)) <= handshake.MAX_SOCKET_PATH_BYTES - len("/plugin-12345678"):
            directory.mkdir(mode=stat.S_IRWXU)
            return directory
    raise FailedPrecondition(
        "there is no place for the plugin's socket: neither TMPDIR nor /tmp is a directory that "
        "can be written and has a short path"
    )
