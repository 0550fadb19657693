"""A job's values have their types, and text that the wire can carry, before they mean anything.

Type checkers do not see what a program reads from a file and passes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from numbers import Real
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import JobKind, TargetMode

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT: Final = 128 * 1024
_MAX_NAME: Final = 1024


def refused(field: str, got: object, allowed: str) -> InvalidField:
    """An error for a field: what it was, and what is allowed."""
    shown = ascii(got) if _is_broken(got) else repr(got)
    shown = shown if len(shown) <= 120 else shown[:120] + "..."
    return InvalidField(f"{field} is {shown}; allowed: {allowed}", field=field)


def check_text(field: str, value: str, *, longest: int = MAX_TEXT, shown: bool = True) -> None:
    """Refuse what no request, argv or environment can carry; what it is may be left unsaid."""
    if "\0" in value:
        allowed = "text without NUL"
    elif len(value) > longest:
        allowed = f"at most {longest} characters"
    elif _is_broken(value):
        allowed = "text that UTF-8 can carry"
    else:
        return
    if shown:
        raise refused(field, value, allowed)
    raise InvalidField(f"{field} is not of the allowed kind: {allowed}", field=field)


def check_shape(part: object, prefix: str = "") -> None:
    """Check each field of a dataclass, and of those inside it, against its annotation.

    Raises:
        InvalidField: Naming the first field whose value is of another type.
    """
    for item in fields(part):  # type: ignore[arg-type]
        value = getattr(part, item.name)
        check = _BY_ANNOTATION.get(str(item.type), _check_part)
        check(prefix + item.name, value)


def _is_broken(value: object) -> bool:
    return isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value)


def _typed(kind: type, allowed: str) -> Callable[[str, object], None]:
    def check(field: str, value: object) -> None:
        if not isinstance(value, kind):
            raise refused(field, value, allowed)

    return check


def _check_string(field: str, value: object) -> None:
    if not isinstance(value, str):
        raise refused(field, value, "text")
    check_text(field, value)


def _check_number(field: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise refused(field, value, "a number")


def _check_whole(field: str, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise refused(field, value, "a whole number")


def _check_amount(field: str, value: object) -> None:
    if value is not None:
        _check_number(field, value)


def _check_row(field: str, value: object) -> None:
    if not isinstance(value, tuple):
        raise refused(field, value, "a tuple")
    for number, item in enumerate(value):
        place = f"{field}[{number}]"
        if is_dataclass(item):
            check_shape(item, f"{place}.")
        else:
            _check_string(place, item)


def _check_table(field: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise refused(field, type(value).__name__, "a mapping of names to text")
    for name, item in value.items():
        if not isinstance(name, str) or len(name) > _MAX_NAME or _is_broken(name):
            raise refused(field, name, f"names of at most {_MAX_NAME} characters")
        if not isinstance(item, str) or _is_broken(item):
            # The value is not shown: it may be a secret, or stand beside one.
            raise InvalidField(f"{field}.{name} is not text", field=f"{field}.{name}")


def _check_sizes(field: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise refused(field, type(value).__name__, "a mapping of names to whole numbers")
    for name, item in value.items():
        _check_string(field, name)
        if isinstance(item, bool) or not isinstance(item, int):
            raise refused(f"{field}.{name}", item, "a whole number")


def _check_part(field: str, value: object) -> None:
    if not is_dataclass(value):
        raise refused(field, value, "the contract's own type")
    check_shape(value, f"{field}.")


_BY_ANNOTATION: dict[str, Callable[[str, object], None]] = {
    "str": _check_string,
    "bool": _typed(bool, "True or False"),
    "float": _check_number,
    "float | None": _check_amount,
    "int | None": _check_whole,
    "tuple[str, ...]": _check_row,
    "tuple[JobAlert, ...]": _check_row,
    "tuple[LogDestination, ...]": _check_row,
    "Mapping[str, str]": _check_table,
    "Mapping[str, int]": _check_sizes,
    "JobKind": _typed(JobKind, ", ".join(JobKind)),
    "TargetMode": _typed(TargetMode, ", ".join(mode.name for mode in TargetMode)),
}
