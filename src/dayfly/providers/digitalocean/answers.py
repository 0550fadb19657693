"""Reading DigitalOcean's answers, tolerantly: times, names, and what was made first."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row = TypeVar("Row", bound="Mapping[str, Any]")

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def parse_time(text: str) -> datetime | None:
    """A time as DigitalOcean writes it; None for its zero, the year 1, or where it is none."""
    found = _TIME.fullmatch(text)
    if not found or text.startswith("0001-"):
        return None
    whole, fraction, zone = found.groups()
    micros = ((fraction or "") + "000000")[:6]
    try:
        at = datetime.fromisoformat(f"{whole}.{micros}{zone.replace('Z', '+00:00')}")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def time_in(row: Mapping[str, Any] | None, name: str) -> datetime | None:
    """A time of a row; None where it has none."""
    return parse_time(str((row or {}).get(name, "")))


def made_at(row: Mapping[str, Any]) -> datetime:
    """For sorting: when a row was made; before all others where that is not told.

    Not by its text: ``:00Z`` comes after ``:00.5Z`` there.
    """
    return time_in(row, "created_at") or _NEVER


def oldest_first(rows: Iterable[Row]) -> list[Row]:
    """Rows in the order in which they were made.

    They come with the newest first, and times may be whole seconds: of those made within
    one second, the last in the list is the oldest.
    """
    backwards = [*rows][::-1]
    return sorted(backwards, key=made_at)


def name_of(app: Mapping[str, Any]) -> str:
    """An app's name."""
    return str((app.get("spec") or {}).get("name", ""))


def jobs_of(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The jobs in the spec of an app or of a deployment."""
    return list((row.get("spec") or {}).get("jobs") or ())


def slot_id(app: Mapping[str, Any], slot: str) -> str:
    """Id of the deployment in one of an app's slots; empty where there is none."""
    return str((app.get(slot) or {}).get("id", ""))
