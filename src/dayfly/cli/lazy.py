"""A group of commands that imports the module of a command only when that one is called."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(click.Group):
    """Knows its commands by name and by what they do.

    The command ``list`` of a group with the prefix ``plugin_`` is the object
    ``plugin_list`` in the module ``dayfly.cli.plugin_list``.
    """

    def __init__(
        self, *args: Any, known: Mapping[str, str], prefix: str = "", **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.known = known
        self.prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands, in the order in which a person meets them."""
        return list(self.known)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command's own object, from its module."""
        if cmd_name not in self.known:
            return None
        name = f"{self.prefix}{cmd_name}"
        command: click.Command = getattr(import_module(f"dayfly.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in ``--help``, without importing what it lists."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.known.items()))
