"""Reading a ``[providers.NAME]`` table: unknown keys and wrong types are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Collection


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
