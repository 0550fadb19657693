"""From an argv to ``run_command``, which is one string, with no shell guaranteed [?].

The words are quoted so that a POSIX shell, and a splitter with the shell's quotes (which is
all that App Platform's documentation shows), make the same argv of it: every word with
anything but plain characters stands in single quotes, where nothing has a meaning but the
quote itself. A first word that a shell would take for an assignment or a reserved word is
quoted too. A word of ``command`` that is nothing but an operator of a shell is refused: in
quotes it would be given to the program, and it was meant for a shell that is not there.
``run_command`` of a job runs through ``/bin/sh -c`` of the image, so that a shell is there
whatever App Platform does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobSpec

_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+:,./-]+")
_RESERVED: Final = frozenset(
    {"if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for",
     "in", "function", "select", "time", "coproc"}
)  # fmt: skip

#: Words that only a shell has a meaning for. Source: POSIX, Shell Command Language, 2.10.2.
_OPERATOR: Final = re.compile(r"&&?|\|[|&]?|;;?|[()]|\d*(<<<|<<-?|>>|[<>][&|>]?)(\d+|-)?|&>>?")

#: Runs its arguments, passes a stop on, and tells their exit code as the last line of all.
#: A background job of a shell can be waited for while a signal comes in; one that comes
#: before there is a job is kept for it. Two pipes would let what was written to stderr come
#: after the last line; App Platform makes one output of both anyway. What the shell itself
#: says of a job that was killed is nobody's output.
_REPORTING: Final = (
    't=; trap \'t=1; kill -TERM "$!" 2>/dev/null\' TERM INT; "$@" 2>&1 & p=$!; exec 2>/dev/null; '
    '[ -z "$t" ] || kill -TERM "$p" 2>/dev/null; '
    'wait "$p"; c=$?; while kill -0 "$p" 2>/dev/null; do wait "$p"; c=$?; done; '
    'printf \'\\n%s%s\\n\' SENTINEL "$c"; exit "$c"'
)


def run_command(spec: JobSpec, *, sentinel: str = "") -> str:
    """The string for App Platform; empty leaves it to the image.

    Args:
        spec: The job.
        sentinel: What stands before the exit code in the last line; empty prints none.

    Raises:
        InvalidField: A word is an operator of a shell, or there is no command to report the
            exit code of.
    """
    argv = spec.argv
    for place, word in enumerate(spec.command):
        if _OPERATOR.fullmatch(word):
            raise InvalidField(
                f"command[{place}] is {word!r}, which only a shell has a meaning for",
                field=f"command[{place}]",
                advice="Give the line to a shell: /bin/sh -c 'LINE', or run_command.",
            )
    if sentinel:
        if not argv:
            raise InvalidField(
                "command is empty, and self_reported_exit can only report that of one",
                field="command",
                advice="Give the command, or leave out self_reported_exit.",
            )
        script = _REPORTING.replace("SENTINEL", sentinel)
        argv = ("/bin/sh", "-c", script, "sh", *argv)
    return quoted(argv)


def quoted(argv: Sequence[str]) -> str:
    """The words as one string; see above."""
    return " ".join(_quote(word, first=not place) for place, word in enumerate(argv))


def _quote(word: str, *, first: bool) -> str:
    if _PLAIN.fullmatch(word) and not (first and word in _RESERVED):
        return word
    # A quote inside: out of the quotes, one of the other kind around it, and in again.
    return "'" + word.replace("'", "'\"'\"'") + "'"
