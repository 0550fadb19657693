"""A machine of a user: a configuration, a journal, and the command line in real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from dayfly.jobs import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAYFLY = Path(sys.executable).with_name("dayfly")
BOUND_SECONDS = 40.0


@dataclass
class Machine:
    """One machine; what is secret on it never shows.

    Attributes:
        directory: Of the configuration and the journal.
        settings: The configuration, TOML.
        plugin: Module of the plugin that it names.
        hidden: Prefixes of this process's variables that it does not have.
        env: Its own variables.
        canaries: What must not be written, printed or sent by name.
        started: Every command line, of all machines of one test.
    """

    directory: Path
    settings: str
    plugin: str
    hidden: tuple[str, ...]
    env: dict[str, str]
    canaries: tuple[str, ...]
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory.mkdir(exist_ok=True)
        (self.directory / "dayfly.toml").write_text(self.settings, encoding="utf-8")

    def elsewhere(self) -> Self:
        """Another machine: the same configuration, another journal."""
        return replace(self, directory=self.directory / f"other-{uuid.uuid4().hex[:6]}")

    def popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the command line."""
        hidden = ("DAYFLY_", *self.hidden)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        own = {"DAYFLY_STATE_DIR": str(self.directory / "state"), **self.env}
        process = subprocess.Popen(
            [DAYFLY, *arguments],
            cwd=self.directory,
            env={**kept, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.started.append(process)
        return process

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command line to its end: exit code, stdout, stderr."""
        return self.finish(self.popen(*arguments))

    def finish(self, process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
        """Exit code, stdout, stderr; never with a secret, or a traceback nobody asked for."""
        out, err = process.communicate(timeout=BOUND_SECONDS)
        text = err.decode(errors="replace")
        assert "--debug" in process.args or "Traceback" not in text, text
        assert not self.told_in(out + err)
        return process.returncode, out.decode(errors="replace"), text

    def told_in(self, data: bytes) -> bool:
        """A secret is in it."""
        return any(canary.encode() in data for canary in self.canaries)

    def until(self, seen: Callable[[], bool]) -> None:
        """Look again and again until it is seen."""
        end = time.monotonic() + BOUND_SECONDS
        while not seen():
            assert time.monotonic() < end, "it was never seen"
            time.sleep(0.02)

    def kill(self, process: subprocess.Popen[bytes], victim: str) -> None:
        """SIGKILL to the command line, or to its plugin, which it sees."""
        if victim == "plugin":
            for child in self._plugins(process):
                child.kill()
            self.finish(process)
        else:
            process.kill()
            assert not self.told_in(b"".join(process.communicate()))

    def interrupt(self, process: subprocess.Popen[bytes]) -> None:
        """Ctrl-C."""
        process.send_signal(signal.SIGINT)

    def written(self) -> Iterator[bytes]:
        """What dayfly wrote, on this machine and on those elsewhere."""
        for path in self.directory.rglob("*"):
            if path.is_file():
                yield path.read_bytes()
            if path.name == "journal.sqlite3":  # A handle is a token there, which shows nothing.
                yield repr(Journal.open(path).entries()).encode()

    def end(self) -> None:
        """Nothing of it goes on."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.until(lambda: not self._alive())

    def _alive(self) -> list[psutil.Process]:
        """Plugins of these machines, whoever started them."""
        alive = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess):
                if self.plugin in process.cmdline():
                    state = process.environ().get("DAYFLY_STATE_DIR", "")
                    alive += [process] if state.startswith(str(self.directory)) else []
        return alive

    def _plugins(self, process: subprocess.Popen[bytes]) -> list[psutil.Process]:
        try:
            children = psutil.Process(process.pid).children()
            return [child for child in children if self.plugin in child.cmdline()]
        except psutil.NoSuchProcess:
            return []
