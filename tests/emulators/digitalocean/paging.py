"""Pages by number, with links and the total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from tests.emulators.digitalocean.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multidict import MultiMapping

T = TypeVar("T")


def page(
    rows: Sequence[T], query: MultiMapping[str], url: str
) -> tuple[Sequence[T], dict[str, Any]]:
    """The rows that were asked for, and ``links`` and ``meta`` of the answer.

    Raises:
        ApiError: The page is no number, or too large.
    """
    number, size = _number(query, "page", 1), _number(query, "per_page", 20)
    if size > 200:
        raise ApiError(400, "per_page must be at most 200")
    last = max(1, -(-len(rows) // size))
    pages: dict[str, str] = {}
    if number > 1:
        pages |= {"first": _link(url, 1, size), "prev": _link(url, number - 1, size)}
    if number < last:
        pages |= {"next": _link(url, number + 1, size), "last": _link(url, last, size)}
    found = rows[(number - 1) * size : number * size]
    links = {"pages": pages} if pages else {}
    return found, {"links": links, "meta": {"total": len(rows)}}


def _number(query: MultiMapping[str], name: str, default: int) -> int:
    text = query.get(name, "")
    if text and (not text.isdecimal() or int(text) < 1):
        raise ApiError(400, f"{name} must be a number of at least 1")
    return int(text or default)


def _link(url: str, number: int, size: int) -> str:
    return f"{url}?page={number}&per_page={size}"
