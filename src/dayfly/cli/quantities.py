"""Sizes and durations as people type them, refused where they are not exact."""

from __future__ import annotations

import re

import click

_MIB = 1 << 20
_SIZES = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"(\d{1,12})(?:\.(\d{1,6}))?(b|[kmgt](?:i?b)?)", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(r"(?:(\d{1,7})d)?(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,7})s)?", re.ASCII)
_UNIT_SECONDS = (86400, 3600, 60, 1)


class Memory(click.ParamType[int]):
    """``512m``, ``1.5g``, ``2GiB``: whole MiB in powers of 1024, as docker counts."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """MiB."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(str(value).strip())
        if not match:
            self.fail(f"{value!r} is no size; allowed: a number and a unit, 512m or 2g", param, ctx)
        whole, fraction, unit = match[1], match[2] or "", match[3][0].lower()
        size: int = int(whole + fraction) * 1024 ** _SIZES[unit]
        scale: int = _MIB * 10 ** len(fraction)
        mib, rest = divmod(size, scale)
        if rest:
            self.fail(f"{value!r} is not a whole number of MiB", param, ctx)
        return mib


class Seconds(click.ParamType[int]):
    """``90``, ``30s``, ``5m``, ``1h30m``, ``2d``: whole seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Seconds."""
        if isinstance(value, int):
            return value
        text = str(value).strip()
        if re.fullmatch(r"\d{1,7}", text, re.ASCII):
            return int(text)
        match = _DURATION.fullmatch(text)
        if not match or not text:
            self.fail(f"{value!r} is no duration; allowed: 30s, 5m, 1h30m or seconds", param, ctx)
        return sum(
            int(number or 0) * unit
            for number, unit in zip(match.groups(), _UNIT_SECONDS, strict=True)
        )


MEMORY = Memory()
SECONDS = Seconds()
