"""Takes off what App Platform puts before each line: the component and a time.

As in ``job 2024-05-29T20:14:14.996999111Z hello``. Source: digitalocean/doctl, issue 1536
and ``apps logs --no-prefix``, which drops the first two words of live and archived lines
alike. Whether each kind of output has it is not documented [?], so that a line without it
is left as it is.
"""

from __future__ import annotations

import re
from typing import Final

#: What stands for each digit of the time, so that a part of one can be told too.
_TIME: Final = b"0000-00-00T00:00:00"
_LONGEST: Final = len(_TIME) + len(b".000000000Z ")
_REST: Final = re.compile(rb"(?:\.\d{0,9})?|(?:\.\d{1,9})?Z")
_WHOLE: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z ")


class Prefix:
    """Holds back the beginning of a line until it is known whether it is that."""

    def __init__(self, component: str) -> None:
        """Look for lines of this component."""
        self._name = component.encode() + b" "
        self._held = b""
        self._inside = False

    def feed(self, data: bytes) -> bytes:
        """The same without what is App Platform's."""
        out, rest = [], self._held + data
        self._held = b""
        while rest:
            if not self._inside:
                size = self._size(rest)
                if size < 0:
                    self._held = rest
                    break
                rest, self._inside = rest[size:], True
                continue
            line, end, rest = rest.partition(b"\n")
            out += [line, end]
            self._inside = not end
        return b"".join(out)

    def finish(self) -> bytes:
        """What was held back and is output after all; nothing more will come."""
        held, self._held = self._held, b""
        return held

    def _size(self, line: bytes) -> int:
        """Bytes of the prefix of a line; 0 where it has none, -1 where more must come first."""
        name = self._name
        if not line.startswith(name):
            return -1 if name.startswith(line) else 0
        time = line[len(name) : len(name) + _LONGEST]
        if found := _WHOLE.match(time):
            return len(name) + found.end()
        return -1 if len(line) == len(name) + len(time) and _begins(time) else 0


def _begins(text: bytes) -> bool:
    """The text is the beginning of a time."""
    zeros = re.sub(rb"\d", b"0", text)
    if len(text) <= len(_TIME):
        return _TIME.startswith(zeros)
    return zeros.startswith(_TIME) and bool(_REST.fullmatch(text[len(_TIME) :]))
