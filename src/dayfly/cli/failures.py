"""Failures as a person and a program read them; never a traceback."""

from __future__ import annotations

import os
import sys

import click

from dayfly.cli.exits import DAYFLY_FAILED, READER_GONE
from dayfly.cli.printing import print_json, say
from dayfly.contract.errors import DayflyError


def print_failure(error: Exception, *, as_json: bool) -> int:
    """Print what failed on stderr, and with ``as_json`` as a document on stdout too.

    Returns:
        The exit code.
    """
    say_failure(error)
    if as_json:
        print_json({"error": failure_fields(error)})
    return DAYFLY_FAILED


def say_failure(error: Exception, *, prefix: str = "") -> None:
    """Say on stderr what failed and what to do about it."""
    message, advice = _sentences(error)
    say(prefix + message)
    if advice:
        say(advice, prefix="        ")


def failure_fields(error: Exception) -> dict[str, object]:
    """A failure's stable keys; what is not known is null."""
    known = error if isinstance(error, DayflyError) else None
    message, advice = _sentences(error)
    return {
        "code": known.code.name if known else "UNKNOWN",
        "message": message,
        "advice": advice or None,
        "field": (known.field or None) if known else None,
        "reason": known.reason.name if known and known.reason else None,
    }


def reader_gone() -> int:
    """Leave as a program that SIGPIPE ended, without a second complaint at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_GONE


def _sentences(error: Exception) -> tuple[str, str]:
    if isinstance(error, DayflyError):
        return error.message, error.advice
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "dayfly"
        return error.format_message(), f"Try '{command} --help'."
    if isinstance(error, click.ClickException):
        return error.format_message(), ""
    if isinstance(error, OSError):
        return f"the system refused: {error}", ""
    if isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        return _sentences(error.exceptions[0])
    return (
        f"a fault in dayfly: {type(error).__name__}: {error}",
        "Run it again with --debug for the whole story.",
    )
