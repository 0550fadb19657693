"""Reading a ``[providers.NAME]`` table: unknown keys and wrong types are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def refuse_unknown(document: Mapping[str, object], known: Collection[str], provider: str) -> None:
    """Stop at a setting that the provider does not have.

    Raises:
        InvalidField: Naming it, and those that there are.
    """
    for key in document:
        if key not in known:
            raise InvalidField(
                f"{key!r} is no setting of the {provider} provider; allowed: {', '.join(known)}",
                field=key,
            )


def text(document: Mapping[str, object], key: str) -> str:
    """A setting that is text; empty where it is not given.

    Raises:
        InvalidField: It is something else.
    """
    value = document.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise InvalidField(f"{key} is {value!r}; allowed: text", field=key)
    return value


def secret_names(document: Mapping[str, object]) -> dict[str, str]:
    """The table ``secrets``: portable names to references.

    Raises:
        InvalidField: It is no table of text.
    """
    table = document.get("secrets", {})
    if not isinstance(table, Mapping):
        raise InvalidField("secrets is no table of names to references", field="secrets")
    for name, reference in table.items():
        if not isinstance(reference, str):
            # Not shown: people paste values where references belong.
            raise InvalidField(f"secrets.{name} is no text", field=f"secrets.{name}")
    return dict(table)


def texts(document: Mapping[str, object], key: str) -> tuple[str, ...]:
    """A setting that is a list of text; empty where it is not given.

    Raises:
        InvalidField: It is something else.
    """
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise InvalidField(f"{key} is {value!r}; allowed: a list of text", field=key)
    return tuple(value)


def flag(document: Mapping[str, object], key: str) -> bool:
    """A setting that is true or false; false where it is not given.

    Raises:
        InvalidField: It is something else.
    """
    value = document.get(key, False)
    if not isinstance(value, bool):
        raise InvalidField(f"{key} is {value!r}; allowed: true or false", field=key)
    return value


def number(
    document: Mapping[str, object], key: str, default: float, *, least: float, most: float
) -> float:
    """A setting that is a number within bounds.

    Raises:
        InvalidField: It is something else.
    """
    value = document.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidField(f"{key} is {value!r}; allowed: {least:g} to {most:g}", field=key)
    return value


def choice(document: Mapping[str, object], key: str, allowed: Sequence[str]) -> str:
    """A setting that is one of some words; the first where it is not given.

    Raises:
        InvalidField: It is another.
    """
    value = document.get(key, allowed[0])
    if value not in allowed:
        raise InvalidField(f"{key} is {value!r}; allowed: {', '.join(allowed)}", field=key)
    return str(value)
