"""What a plugin prints, as log records, with its last words kept for error messages."""

from __future__ import annotations

import json
import logging
from collections import deque

MAX_LINE_BYTES = 64 * 1024
_TAIL_BYTES = 64 * 1024
_SHOWN_LINES = 20
_SHOWN_CHARACTERS = 2000

#: How a Go program's own death begins, with a stack trace after it that is often longer than
#: what is shown.
_GO_DEATHS = ("panic: ", "fatal error: ")

_LEVELS = {
    "trace": 5,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}

# A program that does not ask for logs gets none of a plugin's on its stderr.
logging.getLogger("dayfly").addHandler(logging.NullHandler())


class PluginLog:
    """Takes bytes, makes log records of lines, and holds the last 64 KiB of text."""

    def __init__(self, plugin: str) -> None:
        self._logger = logging.getLogger(f"dayfly.plugin.{plugin}")
        self._tail: deque[str] = deque()
        self._tail_size = 0

    def line(self, raw: bytes) -> None:
        """One line of stderr: hclog's JSON, or anything else."""
        level, text = _parse(raw)
        if text:
            self._keep(text)
            self._logger.log(level, "%s", text)

    def tail(self) -> str:
        """The last lines, for a person, or a Go program's panic; empty where there was nothing."""
        lines = list(self._tail)
        if (death := _go_death(lines)) is not None:
            return "\n".join(lines[death:][:_SHOWN_LINES])[:_SHOWN_CHARACTERS]
        return "\n".join(lines[-_SHOWN_LINES:])[-_SHOWN_CHARACTERS:]

    def _keep(self, text: str) -> None:
        self._tail.append(text)
        self._tail_size += len(text)
        while self._tail_size > _TAIL_BYTES and len(self._tail) > 1:
            self._tail_size -= len(self._tail.popleft())


class LineSplitter:
    """Cuts a stream into lines, and lines that never end into pieces."""

    def __init__(self, log: PluginLog, prefix: str = "") -> None:
        self._log = log
        self._prefix = prefix.encode()
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what came."""
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._log.line(self._prefix + line[:MAX_LINE_BYTES])
        # By position, because cutting off the front again and again would copy all that follows.
        start = 0
        while len(rest) - start > MAX_LINE_BYTES:
            self._log.line(self._prefix + rest[start : start + MAX_LINE_BYTES])
            start += MAX_LINE_BYTES
        self._rest = rest[start:]

    def end(self) -> None:
        """Nothing more will come: what is left is a line."""
        if self._rest:
            self._log.line(self._prefix + self._rest)
            self._rest = b""


def _go_death(lines: list[str]) -> int | None:
    """Where a Go program's last panic begins; None where a stack trace does not follow it."""
    traced = False
    for number in range(len(lines) - 1, -1, -1):
        traced = traced or lines[number].startswith("goroutine ")
        if traced and lines[number].startswith(_GO_DEATHS):
            return number
    return None


def _parse(raw: bytes) -> tuple[int, str]:
    text = raw.decode(errors="replace").strip()
    if text.startswith("{"):
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict) and "@message" in record:
            return _hclog(record)
    return logging.INFO, _printable(text)


def _hclog(record: dict[str, object]) -> tuple[int, str]:
    level = _LEVELS.get(str(record.get("@level", "")).lower(), logging.INFO)
    more = [f"{name}={value}" for name, value in record.items() if not name.startswith("@")]
    return level, _printable(" ".join([str(record["@message"]), *more]))


def _printable(text: str) -> str:
    """Without control characters: a plugin must not steer the terminal that shows it."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\t\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
