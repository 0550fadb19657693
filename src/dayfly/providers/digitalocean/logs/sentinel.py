"""The last line of a command that reports its own exit code, taken out of the output."""

from __future__ import annotations

import re


class Sentinel:
    """Holds back what may be that line, until it is known.

    Attributes:
        code: What the line said; None so far, or where there was none.
    """

    def __init__(self, text: str) -> None:
        """Look for a line that begins so; empty text looks for none."""
        self.code: int | None = None
        # The command prints the line break in front itself.
        self._mark = b"\n" + text.encode() if text else b""
        self._whole = re.compile(re.escape(self._mark) + rb"(\d{1,3})\r?\n?")
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What is output for certain: all but what may yet be the last line."""
        if not self._mark:
            return data
        whole = self._held + data
        at = self._begins_at(whole)
        self._held = whole[at:]
        return whole[:at]

    def finish(self) -> bytes:
        """What was held back and is output after all; nothing more will come."""
        held, self._held = self._held, b""
        found = self._whole.fullmatch(held) if self._mark else None
        if not found:
            return held
        self.code = int(found[1])
        return b""

    def _begins_at(self, data: bytes) -> int:
        # A job may print what looks like the line: only what nothing follows is the last.
        at = data.rfind(self._mark)
        if at >= 0 and (at + len(self._mark) == len(data) or self._whole.fullmatch(data, at)):
            return at
        return len(data) - _overlap(data, self._mark)


def _overlap(data: bytes, mark: bytes) -> int:
    """Length of the longest end of ``data`` that a ``mark`` begins with."""
    sizes = range(min(len(data), len(mark) - 1), 0, -1)
    return next((size for size in sizes if data.endswith(mark[:size])), 0)
