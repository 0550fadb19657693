"""The emulator in a process of its own, for tests whose plugins are processes too."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[3]
_SECONDS = 30.0


class Running:
    """An emulator that runs.

    Attributes:
        url: Where it listens.
        ca_file: What makes a client trust it.
        registries: Where it stands for registries, by their hosts.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self.url: str = told["url"]
        self.ca_file: str = told["ca_file"]
        self.registries: dict[str, str] = told["registries"]
        self._tls = ssl.create_default_context(cafile=self.ca_file)

    def ask(self, what: str) -> Any:
        """What ``control`` answers."""
        return self._told(Request(f"{self.url}/_emulator/{what}"))

    def change(self, **knobs: Any) -> None:
        """Set knobs."""
        self._post("knobs", knobs)

    def reset(self, **knobs: Any) -> None:
        """Forget all, and begin with these knobs."""
        self._post("reset", knobs)

    def _post(self, what: str, body: dict[str, Any]) -> None:
        self._told(Request(f"{self.url}/_emulator/{what}", json.dumps(body).encode()))

    def _told(self, request: Request) -> Any:
        with urlopen(request, timeout=_SECONDS, context=self._tls) as answer:
            return json.load(answer)


@contextmanager
def running(**knobs: Any) -> Iterator[Running]:
    """An emulator for as long as the context lasts."""
    argv = [sys.executable, "-m", "tests.emulators.digitalocean", "--knobs", json.dumps(knobs)]
    with subprocess.Popen(argv, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Running(json.loads(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait(_SECONDS)
