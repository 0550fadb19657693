"""From a command to a provider: start the plugin first, import what is slow meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dayfly.cli.ahead import claim

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dayfly.api import Connection

T = TypeVar("T")


def start(on: str, *, pass_env: Sequence[str] = ()) -> Connection:
    """A connection whose plugin is starting already.

    Raises:
        NotFound: There is no such configuration or plugin.
        InvalidField: The configuration is wrong.
    """
    from dayfly.api import connect  # noqa: PLC0415 - not needed to parse or to complete

    connection = connect(on, pass_env=pass_env)
    connection.start(claim(connection.provider, pass_env))
    return connection


def within(connection: Connection, body: Callable[[Connection], Awaitable[T]]) -> T:
    """Run ``body`` with the entered connection, in an event loop of its own."""
    from dayfly.cli.warned import run_told  # noqa: PLC0415 - while the plugin starts

    async def whole() -> T:
        async with connection:
            return await body(connection)

    return run_told(whole())
