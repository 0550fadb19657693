"""Durations and sizes as the Go project's configuration writes them."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final

from dayfly.contract.errors import InvalidField

_MIB: Final = 1024 * 1024
_PART: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(ns|us|µs|μs|ms|s|m|h)")
_UNITS: Final = {
    "ns": Fraction(1, 10**9), "us": Fraction(1, 10**6), "µs": Fraction(1, 10**6),
    "μs": Fraction(1, 10**6), "ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60),
    "h": Fraction(3600),
}  # fmt: skip
_SIZE: Final = re.compile(r"([0-9]{1,18})([bkmg]?)", re.IGNORECASE)
_FACTORS: Final = {"": 1, "b": 1, "k": 1024, "m": _MIB, "g": 1024 * _MIB}


def go_seconds(text: str, field: str) -> int:
    """A duration such as ``1m30s`` or ``1.5h``, in whole seconds, rounded up.

    Raises:
        InvalidField: It is none, or not more than 0.
    """
    parts = list(_PART.finditer(text))
    whole = "".join(part[0] for part in parts)
    seconds = sum((Fraction(part[1]) * _UNITS[part[2]] for part in parts), Fraction(0))
    if not parts or whole != text or seconds <= 0:
        raise InvalidField(
            f"{field} is {text[:120]!r}; allowed: a duration such as 30s, 5m or 1h30m", field=field
        )
    return math.ceil(seconds)


def go_mebibytes(text: str, field: str) -> int:
    """A size such as ``128m``, ``1g`` or bytes alone, in whole MiB, rounded up.

    Raises:
        InvalidField: It is none.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise InvalidField(
            f"{field} is {text[:120]!r}; allowed: a size such as 128m or 1g", field=field
        )
    return math.ceil(int(match[1]) * _FACTORS[match[2].lower()] / _MIB)
