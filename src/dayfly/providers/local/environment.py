"""What a command starts with: its environment, its directory, its program.

A job does not inherit the environment of who launched it, as a container does not: it gets
what any program needs to find others, its user's files and language, and what it was given.
"""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobSpec

INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR")
_INHERITED_PREFIX = "LC_"
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment_of(spec: JobSpec, secrets: Mapping[str, str], cwd: str) -> dict[str, str]:
    """The whole environment of a job's command."""
    user = pwd.getpwuid(os.getuid())
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in INHERITED or name.startswith(_INHERITED_PREFIX)
    }
    return {
        "PATH": _DEFAULT_PATH,
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LOGNAME": user.pw_name,
        **inherited,
        "PWD": cwd,
        **spec.env,
        **secrets,
    }


def working_directory(spec: JobSpec) -> str:
    """Where the command starts: where it was told to, or where the caller is.

    Raises:
        InvalidField: It is no directory that can be entered.
    """
    if not spec.working_dir:
        # The host hands us the caller's; our own is the plugin's.
        here = Path(os.environ.get("PWD", ""))
        return str(here) if here.is_absolute() and here.is_dir() else "/"
    path = Path(spec.working_dir)
    if not path.is_absolute() or not path.is_dir():
        raise InvalidField(
            f"working_dir is {spec.working_dir!r}; allowed: the absolute path of a directory that "
            "is there",
            field="working_dir",
            reason=Reason.NEVER_STARTED,
        )
    return spec.working_dir


def check_program(spec: JobSpec, env: Mapping[str, str], cwd: str) -> None:
    """Refuse a command that cannot be found.

    Raises:
        InvalidField: There is no command, or no such program.
    """
    if not spec.argv:
        raise InvalidField(
            "there is no command; allowed: a program with its arguments, or run_command",
            field="command",
            advice="Give one: -- ARGV.",
        )
    program = spec.argv[0]
    if "/" in program:
        found = os.access(Path(cwd) / program, os.X_OK) and (Path(cwd) / program).is_file()
    else:
        found = shutil.which(program, path=env["PATH"]) is not None
    if not found:
        where = "" if "/" in program else f" in PATH ({env['PATH']})"
        raise InvalidField(
            f"command[0] is {program!r}; there is no such program{where}",
            field="command[0]",
            reason=Reason.NEVER_STARTED,
            advice="Give the path of a program that is executable; a line of shell needs `sh -c`.",
        )
