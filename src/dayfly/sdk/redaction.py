"""Values of resolved secrets are hidden in whatever this process says about itself."""

from __future__ import annotations

#: A shorter value would hide half of every sentence.
_SHORTEST = 4
_MASK = "***"

_values: set[str] = set()


def hide(value: str) -> None:
    """From now on, show this value, and each of its lines, as ``***``."""
    _values.update(part for part in (value, *value.splitlines()) if len(part) >= _SHORTEST)


def redact(text: str) -> str:
    """A text without the values that were hidden."""
    # Longest first: a value may be part of another.
    for value in sorted(_values, key=len, reverse=True):
        text = text.replace(value, _MASK)
    return text
