"""A plugin's name, where a person gives it and it becomes a part of a path."""

from __future__ import annotations

from dayfly.contract.errors import InvalidField
from dayfly.host.manifests import NAME


def check_name(name: str) -> str:
    """The name itself.

    Raises:
        InvalidField: It is none.
    """
    if not NAME.fullmatch(name):
        raise InvalidField(
            f"plugin is {name[:120]!r}; allowed: 2 to 63 lower case letters, digits and "
            "hyphens, a letter first",
            field="plugin",
        )
    return name
