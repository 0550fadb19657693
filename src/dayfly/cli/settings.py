"""What every command takes: how to print, and how much to say when it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass
class Settings:
    """Options that the whole command line shares.

    Attributes:
        json: One JSON document on stdout instead of text.
        debug: Show tracebacks.
    """

    json: bool = False
    debug: bool = False


def _set_output(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Settings).json = value == "json"


def _set_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(Settings).debug = True


def shared_options(command: F) -> F:
    """Add ``--output`` and ``--debug``; they land in the context's ``Settings``."""
    command = click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_set_debug,
        help="Show tracebacks of failures.",
    )(command)
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        expose_value=False,
        callback=_set_output,
        help="How results are printed on stdout; json is one document, of logs one a line.  "
        "[default: text]",
    )(command)


pass_settings = click.make_pass_decorator(Settings, ensure=True)
