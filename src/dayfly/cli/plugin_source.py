"""Where ``dayfly plugin`` looks for plugins: ``--index``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def index_option(command: F) -> F:
    """Add ``--index``; what it names is only read when it is asked."""
    return click.option(
        "--index",
        default="",
        envvar="DAYFLY_PLUGIN_INDEX",
        metavar="PLACE",
        help="Directory, JSON file or https URL of an index.  [default: $DAYFLY_PLUGIN_INDEX]",
    )(command)
