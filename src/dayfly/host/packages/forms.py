"""Forms of JSON values: each checks one kind of value and names the field that is wrong.

An index is read from others, and its own schema language would be one more dependency of
everybody who installs a plugin; what an entry needs of it is these few lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Form = Callable[[object, str], None]


def text(pattern: str = "", allowed: str = "text") -> Form:
    """Text, that matches a pattern where there is one."""
    form = re.compile(pattern)

    def check(value: object, where: str) -> None:
        if not isinstance(value, str) or (pattern and not form.match(value)):
            refuse(where, value, allowed)

    return check


def one_of(*words: str) -> Form:
    """One of these words."""

    def check(value: object, where: str) -> None:
        if value not in words:
            refuse(where, value, " or ".join(words))

    return check


def flag(value: object, where: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        refuse(where, value, "true or false")


def whole(value: object, where: str) -> None:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(where, value, "a whole number")


def several(item: Form) -> Form:
    """A list of them."""

    def check(value: object, where: str) -> None:
        if not isinstance(value, list):
            refuse(where, value, "a list")
        for number, one in enumerate(value):
            item(one, f"{where}[{number}]")

    return check


def table(fields: Mapping[str, Form], *, required: tuple[str, ...] = ()) -> Form:
    """An object with these fields and no other."""

    def check(value: object, where: str) -> None:
        if not isinstance(value, dict):
            refuse(where, value, "an object")
        prefix = f"{where}." if where else ""
        for name in required:
            if name not in value:
                raise InvalidField(
                    f"{prefix}{name} is missing, and required", field=f"{prefix}{name}"
                )
        for name, one in value.items():
            if name not in fields:
                raise InvalidField(
                    f"{prefix}{name[:120]} is not known; allowed: {', '.join(sorted(fields))}",
                    field=f"{prefix}{name}",
                )
            fields[name](one, f"{prefix}{name}")

    return check


def open_table(item: Form | None = None) -> Form:
    """An object with any fields, all of one form."""

    def check(value: object, where: str) -> None:
        if not isinstance(value, dict):
            refuse(where, value, "an object")
        for name, one in value.items():
            if item:
                item(one, f"{where}.{name}")

    return check


def refuse(where: str, got: object, allowed: str) -> NoReturn:
    """Say which field is wrong, what it was, and what is allowed."""
    shown = repr(got)
    shown = shown if len(shown) <= 120 else f"{shown[:120]}..."
    raise InvalidField(f"{where or 'it'} is {shown}; allowed: {allowed}", field=where)
