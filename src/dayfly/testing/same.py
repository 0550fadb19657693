"""Comparing what may be large: pytest's own comparison of 1 MiB takes minutes where CI is set."""

from __future__ import annotations

from itertools import compress, count
from operator import ne

_SHOWN_BYTES = 40


def expect(got: bytes, wanted: bytes, *, of: str = "stdout") -> None:
    """Compare what a job printed with what it should have printed.

    Raises:
        AssertionError: They differ; it says where, with a few bytes (at most 40) of each.
    """
    __tracebackhide__ = True
    if got == wanted:
        return
    at = next(compress(count(), map(ne, got, wanted)), min(len(got), len(wanted)))
    line = wanted.count(b"\n", 0, at) + 1
    raise AssertionError(
        f"{of} differs from byte {at} on (line {line}): "
        f"{_shown(got, at)} instead of {_shown(wanted, at)}; "
        f"{len(got)} bytes came, {len(wanted)} should have"
    )


def _shown(data: bytes, at: int) -> str:
    if at == len(data):
        return "the end"
    more = "..." if at + _SHOWN_BYTES < len(data) else ""
    return f"{data[at : at + _SHOWN_BYTES]!r}{more}"
