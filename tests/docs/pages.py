"""A page for users, and what its examples print."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def said(
    argv: Sequence[str], environment: Mapping[str, str], directory: Path
) -> subprocess.CompletedProcess[str]:
    """What a command of a user's prints, in a directory."""
    return subprocess.run(
        argv,
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass(frozen=True)
class Page:
    """A page's text."""

    text: str

    def block(self, language: str, number: int = 0) -> str:
        """One of its fenced blocks."""
        fenced = rf"^```{language}\n(.*?)^```$"
        found = re.findall(fenced, self.text, re.MULTILINE | re.DOTALL)
        assert len(found) > number, f"there is no block {number} of {language}"
        return str(found[number])

    def play(self, session: int, environment: Mapping[str, str], directory: Path) -> None:
        """Run a session; each command prints what the page says."""
        console = self.block("console", session)
        steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", console, re.MULTILINE)
        assert steps
        for command, expected in steps:
            done = said(["sh", "-c", command], environment, directory)
            assert done.stdout == expected, f"$ {command}\n{done.stderr}"
