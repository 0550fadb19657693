"""The group of commands, and what happens to an error that none of them handled."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import click

from dayfly.cli.exits import INTERRUPTED
from dayfly.cli.failures import print_failure, reader_gone
from dayfly.cli.lazy import LazyGroup
from dayfly.cli.settings import Settings, shared_options
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Command to what it does. The module and the object in it have the command's name.
COMMANDS = {
    "run": "Run a job and stream its output.",
    "exec": "Run a command in a sandbox.",
    "ps": "List jobs.",
    "status": "Show where a job stands.",
    "logs": "Print a job's output.",
    "wait": "Wait until jobs have ended.",
    "cancel": "Stop jobs, and wait until they have stopped.",
    "rm": "Remove what ended jobs left behind.",
    "prune": "Remove what all ended jobs left behind.",
    "plan": "Show what a run would send, and start nothing.",
    "providers": "List providers, configured and installed.",
    "describe": "Show what a provider can honour.",
    "doctor": "Check everything that a launch depends on.",
    "agent": "Serve sandboxes to other machines.",
    "conformance": "Test a plugin against the contract.",
    "plugin": "Make, check, find and install plugins.",
    "schema": "Print the JSON Schema of dayfly.toml.",
    "completion": "Print a shell's completion script.",
}


@click.group(
    cls=LazyGroup,
    known=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
@shared_options
def cli() -> None:
    """Run one container or command, once, on a provider's own job runner.

    Exits with the job's own code. 125 is dayfly's own failure, 124 a timeout, 130 a
    cancel by Ctrl-C, 143 by SIGTERM, 141 a reader of the output that went away.
    """


def run(arguments: Sequence[str]) -> int:
    """Run the command line; every failure becomes a sentence on stderr and an exit code."""
    settings = Settings()
    try:
        code = cli.main(list(arguments), prog_name="dayfly", standalone_mode=False, obj=settings)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return reader_gone()
    except Exception as error:  # noqa: BLE001 - the one place where every failure becomes words
        if settings.debug and not isinstance(error, click.ClickException):
            traceback.print_exception(error)
        return print_failure(error, as_json=settings.json)
    return code if isinstance(code, int) else 0
