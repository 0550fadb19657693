"""Pages of a list, with an opaque token from each to the next."""

from __future__ import annotations

import base64
import binascii
import operator
from typing import TYPE_CHECKING, Any, TypeVar

from tests.emulators.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")


def page(
    items: Sequence[Item],
    request: dict[str, Any],
    size: int,
    place: Callable[[Item], str] = str,
    *,
    descending: bool = False,
) -> tuple[list[Item], dict[str, str]]:
    """A page, and the member that names the next one where there is one.

    The token holds the place of the last item, not a number: items may come and go between.
    """
    token = request.get("nextToken")
    start = 0
    if token is not None:
        after = _decoded(token)
        places = [place(item) for item in items]
        # What was last seen may be gone; then the page begins where it would have been.
        start = next((i + 1 for i, one in enumerate(places) if one == after), -1)
        if start < 0:
            beyond = operator.lt if descending else operator.gt
            start = next((i for i, one in enumerate(places) if beyond(one, after)), len(places))
    chosen = list(items[start : start + size])
    if start + size >= len(items) or not chosen:
        return chosen, {}
    return chosen, {"nextToken": _encoded(place(chosen[-1]))}


def _encoded(place: str) -> str:
    return base64.urlsafe_b64encode(f"page:{place}".encode()).decode()


def _decoded(token: str) -> str:
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("page:"):
        raise ApiError("InvalidParameterException", "Invalid token")
    return text.removeprefix("page:")
