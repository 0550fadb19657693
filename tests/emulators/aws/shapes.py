"""Checks a value against a shape of botocore's models, enums and patterns included.

botocore's own validator leaves out enums, patterns and upper limits. The walk stops at the
twentieth item of a list for answers, so that a page of 10,000 lines costs nothing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.model import ListShape, MapShape, Shape, StructureShape

    Walk = Callable[[Any, Any, str, "list[str]", int], None]

_EVERY: Final = 1 << 30
_SAMPLE: Final = 20


def violations(shape: Shape | None, value: dict[str, Any], *, sample: bool = False) -> list[str]:
    """What is wrong with a value, each with the member it is about."""
    if shape is None:
        return [f"{name}: this operation takes no members" for name in value]
    found: list[str] = []
    _walk(shape, value, "", found, _SAMPLE if sample else _EVERY)
    return found


def _walk(shape: Shape, value: Any, path: str, found: list[str], most: int) -> None:
    walk = _WALKS.get(shape.type_name)
    if walk is None:
        found.append(f"{path}: this emulator does not know the type {shape.type_name}")
    else:
        walk(shape, value, path, found, most)


def _structure(shape: StructureShape, value: Any, path: str, found: list[str], most: int) -> None:
    if not isinstance(value, dict):
        found.append(f"{path}: {value!r} is no structure")
        return
    members = shape.members
    found.extend(
        f"{_join(path, name)}: required, and missing"
        for name in shape.required_members
        if value.get(name) is None
    )
    for name, item in value.items():
        member = members.get(name)
        if member is None:
            found.append(f"{_join(path, name)}: no such member in {shape.name}")
        else:
            _walk(member, item, _join(path, name), found, most)


def _list(shape: ListShape, value: Any, path: str, found: list[str], most: int) -> None:
    if not isinstance(value, list):
        found.append(f"{path}: {value!r} is no list")
        return
    _range(shape, len(value), path, found, " items")
    member = shape.member
    for index, item in enumerate(value[:most]):
        _walk(member, item, f"{path}[{index}]", found, most)


def _map(shape: MapShape, value: Any, path: str, found: list[str], most: int) -> None:
    if not isinstance(value, dict):
        found.append(f"{path}: {value!r} is no map")
        return
    _range(shape, len(value), path, found, " entries")
    for key, item in value.items():
        _walk(shape.key, key, f"{path}.{key}(key)", found, most)
        _walk(shape.value, item, f"{path}.{key}", found, most)


def _string(shape: Any, value: Any, path: str, found: list[str], _most: int) -> None:
    if not isinstance(value, str):
        found.append(f"{path}: {value!r} is no string")
        return
    metadata = shape.metadata
    if not metadata:
        return
    _range(shape, len(value), path, found, " characters")
    if (enum := metadata.get("enum")) and value not in enum:
        found.append(f"{path}: {value!r} is not one of {', '.join(enum)}")
    pattern = metadata.get("pattern")
    if pattern and (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        found.append(f"{path}: {value!r} does not match {pattern}")


def _integer(shape: Shape, value: Any, path: str, found: list[str], _most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        found.append(f"{path}: {value!r} is no {shape.type_name}")
    else:
        _range(shape, value, path, found, "")


def _number(shape: Shape, value: Any, path: str, found: list[str], _most: int) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        found.append(f"{path}: {value!r} is no {shape.type_name}")


def _boolean(_shape: Shape, value: Any, path: str, found: list[str], _most: int) -> None:
    if not isinstance(value, bool):
        found.append(f"{path}: {value!r} is no boolean")


def _timestamp(_shape: Shape, value: Any, path: str, found: list[str], _most: int) -> None:
    # Seconds since the epoch in JSON, a written date in XML.
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        found.append(f"{path}: {value!r} is no timestamp")


def _range(shape: Any, size: int, path: str, found: list[str], unit: str) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        found.append(f"{path}: {size}{unit} is less than {low}")
    if high is not None and size > high:
        found.append(f"{path}: {size}{unit} is more than {high}")


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    # Java's classes of characters, as near as Python has them; what is left is not checked.
    near = pattern.replace(r"\p{L}", r"\w").replace(r"\p{Z}", r"\s").replace(r"\p{N}", r"\d")
    try:
        return re.compile(near)
    except re.error:
        return None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_WALKS: Final[dict[str, Walk]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "timestamp": _timestamp,
}
