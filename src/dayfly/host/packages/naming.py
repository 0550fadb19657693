"""A plugin's name, where a person gives it and it becomes a part of a path."""

from __future__ import annotations

from dayfly.contract.errors import InvalidField
from dayfly.host.manifests import NAME, VERSION


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


def split_version(plugin: str) -> tuple[str, str]:
    """Name and version of ``NAME`` or ``NAME@X.Y.Z``; empty where it is not given.

    Raises:
        InvalidField: One of them is none.
    """
    name, at, version = plugin.partition("@")
    if at and not VERSION.fullmatch(version):
        raise InvalidField(
            f"the version of plugin is {version[:120]!r}; allowed: X.Y.Z, as in {name[:63]}@1.2.3",
            field="plugin",
        )
    return check_name(name), version
