"""Jobs so young that AWS may not show them yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle

#: A job may be unknown for some seconds after its launch [?]; the two clocks may differ by the
#: five minutes that AWS signs within, and one that has ended is known for an hour at least.
_VISIBLE: Final = timedelta(minutes=6)


def is_new(handle: JobHandle) -> bool:
    """So young that AWS may not show it yet, and not so old that AWS may have forgotten it."""
    made = handle.metadata.get("created", "")
    if not made.isdecimal():
        return False
    return datetime.now(UTC) - datetime.fromtimestamp(int(made) / 1000, UTC) < _VISIBLE
