"""Remote runners as dayfly.toml names them: ``[runners.NAME]``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import FailedPrecondition, InvalidField

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\]):[0-9]{1,5}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_KEYS: Final = frozenset({"address", "token", "ca", "cert", "key", "server_name"})
_MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRunner:
    """How an agent is reached. TLS always.

    Attributes:
        name: What ``exec_env`` calls it.
        address: ``host:port``.
        token: Where the bearer token is: ``env:NAME`` or ``file:/PATH``; never itself.
        ca: PEM file of whoever signed the agent's certificate; empty is the system's.
        cert: PEM file of our certificate, where the agent asks for one.
        key: PEM file of its key.
        server_name: What the agent's certificate says, where that is not the address.
        keepalive_seconds: A connection that is silent for so long is asked for a sign of life.
            A Go agent hangs up on whoever asks more often than every 5 minutes.
    """

    name: str
    address: str
    token: str
    ca: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    keepalive_seconds: int = 360


def remote_runners(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, RemoteRunner]:
    """Check the tables of a configuration.

    Raises:
        InvalidField: Naming the key, and what is allowed.
    """
    return {name: _runner(name, table) for name, table in tables.items()}


def _runner(name: str, table: Mapping[str, Any]) -> RemoteRunner:
    where = f"runners.{name}"
    if not _NAME.fullmatch(name):
        raise InvalidField(f"{where} is no name: letters, digits, '_' or '-'", field="runners")
    for key, value in table.items():
        if key not in _KEYS:
            allowed = ", ".join(sorted(_KEYS))
            raise InvalidField(f"{where}.{key} is unknown; allowed: {allowed}", field=where)
        if not isinstance(value, str):
            raise InvalidField(f"{where}.{key} is not text", field=f"{where}.{key}")
    runner = RemoteRunner(name=name, **{"address": "", "token": "", **table})
    if not _ADDRESS.fullmatch(runner.address):
        raise InvalidField(
            f"{where}.address is {runner.address[:120]!r}; allowed: host:port",
            field=f"{where}.address",
        )
    scheme, _, rest = runner.token.partition(":")
    if not (scheme == "env" and rest) and not (scheme == "file" and rest.startswith("/")):
        # It is not shown: people paste the token itself where its place belongs.
        raise InvalidField(
            f"{where}.token does not say where the token is; allowed: env:NAME or file:/PATH",
            field=f"{where}.token",
            advice="Never write the token itself into a configuration.",
        )
    if bool(runner.cert) != bool(runner.key):
        raise InvalidField(f"{where} needs cert and key together", field=f"{where}.cert")
    return runner


def token_of(runner: RemoteRunner) -> str:
    """The bearer token, read now.

    Raises:
        FailedPrecondition: It is not where the configuration says.
    """
    scheme, _, rest = runner.token.partition(":")
    where = f"runners.{runner.name}.token"
    if scheme == "env":
        token = os.environ.get(rest, "")
        what = f"{rest} is not set"
    else:
        token = read_file(rest, where).decode(errors="replace").strip()
        what = f"{rest} is empty"
    if not token:
        raise FailedPrecondition(
            f"{where}: {what}", field=where, advice="Get the token from whoever runs the agent."
        )
    if not token.isascii() or not token.isprintable():
        raise FailedPrecondition(f"{where}: it is not printable ASCII", field=where)
    return token


def read_file(path: str, where: str) -> bytes:
    """A small file that the configuration names.

    Raises:
        FailedPrecondition: It cannot be read, or is too large to be what it should be.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise FailedPrecondition(f"{where}: {path}: {error.strerror}", field=where) from error
    if len(data) > _MAX_BYTES:
        raise FailedPrecondition(f"{where}: {path} is over {_MAX_BYTES} bytes", field=where)
    return data
