"""On a terminal: the live line, and Ctrl-C as the terminal sends it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time

from tests.cli.conftest import DAYFLY


class Terminal:
    """A command whose three descriptors, and session, are a terminal."""

    def __init__(self, cli, *argv, env=None):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [DAYFLY, *argv],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cli.directory,
            env={**cli.env, "TERM": "xterm", **(env or {})},
            start_new_session=True,
            # Opening it makes it the new session's terminal, so that keys become signals.
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # noqa: PLW1509
        )
        os.close(slave)
        self.seen = b""

    def read_until(self, words: bytes, limit: float = 15) -> bytes:
        end = time.monotonic() + limit
        while words not in self.seen and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536)
        assert words in self.seen, self.seen
        return self.seen

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def close(self) -> int:
        """Read on to the end; the exit code."""
        try:
            while data := os.read(self.master, 65536):
                self.seen += data
        except OSError:
            pass  # EIO: the last one on the other side has gone.
        os.close(self.master)
        return self.process.wait(10)


def test_a_quiet_job_shows_a_live_line_that_is_gone_before_output(cli):
    terminal = Terminal(cli, "run", "--name", "quiet", "--", "sh", "-c", "sleep 2; echo out")
    before = terminal.read_until(b"out\r\n")
    assert terminal.close() == 0
    assert b"quiet is running" in before
    cleared, _, printed = terminal.seen.rpartition(b"\r\x1b[K")
    assert cleared
    assert printed == b"out\r\n"


def test_no_color_means_no_colour_and_a_dumb_terminal_no_line(cli):
    plain = Terminal(cli, "run", "--", "sleep", "1.5", env={"NO_COLOR": "1"})
    assert plain.close() == 0
    assert b" is running" in plain.seen
    assert b"\x1b[2m" not in plain.seen
    dumb = Terminal(cli, "run", "--", "sleep", "1.5", env={"TERM": "dumb"})
    assert dumb.close() == 0
    assert dumb.seen == b""


def test_ctrl_c_on_a_terminal_stops_the_job_once(cli):
    terminal = Terminal(
        cli,
        *("run", "--name", "held", "--keep", "--"),
        *("sh", "-c", "trap 'echo got TERM; exit 1' TERM; echo up; while :; do sleep 0.1; done"),
    )
    terminal.read_until(b"up\r\n")
    terminal.press(b"\x03")
    terminal.read_until(b"got TERM\r\n")
    assert terminal.close() == 130
    assert cli("status", "held", "-o", "json").json["state"] == "CANCELLED"


def test_tables_on_a_terminal_hold_every_cell(cli):
    terminal = Terminal(cli, "providers", env={"COLUMNS": "200"})
    assert terminal.close() == 0
    assert b"docker" in terminal.seen
    assert b"local *" in terminal.seen
