"""Hides the values of secrets in what this process says: its log and its errors.

There is one table per process, since any line of a log may show any value that any part
of the process has seen.
"""

from __future__ import annotations

import base64
import json
import threading
from typing import Final
from urllib.parse import quote

HIDDEN: Final = "[hidden]"

#: Shorter ones are not told apart from ordinary text; hiding them would shred the log.
MIN_CHARACTERS: Final = 4

_lock = threading.Lock()
_known: frozenset[str] = frozenset()
_longest_first: tuple[str, ...] = ()


def hide(value: str) -> None:
    """Never show this value again, nor its usual disguises, nor a line of it."""
    global _known, _longest_first  # noqa: PLW0603 - one process, one table
    with _lock:
        _known |= {form for form in _forms(value) if len(form) >= MIN_CHARACTERS}
        # One tuple, replaced whole: readers on other threads need no lock.
        _longest_first = tuple(sorted(_known, key=len, reverse=True))


def redact(text: str) -> str:
    """The text without any hidden value."""
    for value in _longest_first:
        if value in text:
            text = text.replace(value, HIDDEN)
    return text


def _forms(value: str) -> set[str]:
    lines = {line.strip() for line in value.splitlines()}
    plain = {value, value.strip(), *lines}
    escaped = {json.dumps(form)[1:-1] for form in plain} | {repr(form)[1:-1] for form in plain}
    coded = {quote(form, safe="") for form in plain}
    packed = {base64.b64encode(value.encode()).decode().rstrip("=")}
    return plain | escaped | coded | packed
