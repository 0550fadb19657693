"""Requests held against AWS's own service models, before anything is sent.

botocore's validator checks types and what is required, but no enum, pattern or upper bound;
AWS refuses those too, so they are checked here with the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "blob": (bytes, bytearray, str),
    "timestamp": (datetime, int, float, str),
}
#: Longer than this, a list of what is allowed helps nobody.
_LISTED: Final = 30


class _Problem(NamedTuple):
    """A member, and what is wrong with it."""

    member: str
    wrong: str


def check_params(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Hold a request against the model of its service; nothing is sent.

    Args:
        service: As botocore names it, such as ``ecs``.
        operation: As AWS names it, such as ``RunTask``.
        params: The request, in AWS's own names.

    Raises:
        InvalidField: The first member that is wrong, by its path in the request; the message
            names all of them.
    """
    shape = _service_model(service).operation_model(operation).input_shape
    problems = list(_walk(shape, params, "")) if shape is not None else []
    if problems:
        said = "; ".join(f"{member or 'the request'} {wrong}" for member, wrong in problems)
        raise InvalidField(
            f"{service}:{operation} would be refused: {said}", field=problems[0].member
        )


@cache
def _service_model(service: str) -> Any:
    from botocore.model import ServiceModel  # noqa: PLC0415 - 80 ms, after the handshake

    return ServiceModel(_loader().load_service_model(service, "service-2"), service)


@cache
def _loader() -> Any:
    from botocore.loaders import Loader  # noqa: PLC0415 - same

    return Loader()


def _walk(shape: Any, value: Any, path: str) -> Iterator[_Problem]:
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return
    expected: Any = _TYPES[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
        yield _Problem(path, f"is of type {type(value).__name__}; allowed: {kind}")
        return
    if kind == "structure":
        yield from _structure(shape, value, path)
        return
    yield from _bounds(shape, value, path)
    if kind == "string":
        yield from _text(shape, value, path)
    elif kind == "list":
        for number, item in enumerate(value):
            yield from _walk(shape.member, item, f"{path}[{number}]")
    elif kind == "map":
        for key, item in value.items():
            yield from _walk(shape.key, key, f"{path}.{key}")
            yield from _walk(shape.value, item, f"{path}.{key}")


def _structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[_Problem]:
    for name in shape.required_members:
        if name not in value:
            yield _Problem(_member(path, name), "is missing")
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield _Problem(
            path, f"has {len(value)} members; allowed: one of {', '.join(shape.members)}"
        )
    for name, item in value.items():
        if name in shape.members:
            yield from _walk(shape.members[name], item, _member(path, name))
        else:
            yield _Problem(_member(path, name), "is no member of the request")


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _bounds(shape: Any, value: Any, path: str) -> Iterator[_Problem]:
    counted = isinstance(value, str | Sequence | Mapping)
    if isinstance(value, datetime) or not (counted or isinstance(value, int | float)):
        return
    size, what = (len(value), "has a length of") if counted else (value, "is")
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _Problem(path, f"{what} {size}; allowed: {least} or more")
    if most is not None and size > most:
        yield _Problem(path, f"{what} {size}; allowed: {most} or less")


def _text(shape: Any, value: str, path: str) -> Iterator[_Problem]:
    allowed = shape.enum
    if allowed and value not in allowed:
        more = ", ..." if len(allowed) > _LISTED else ""
        yield _Problem(path, f"is {value!r}; allowed: {', '.join(allowed[:_LISTED])}{more}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _matches(pattern, value):
        yield _Problem(path, f"does not match {pattern}")


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        # Java's own, such as \p{L}: AWS has the last word on those.
        return True
