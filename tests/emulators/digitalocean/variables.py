"""Values that are sealed when they come back, and values that stand for others."""

from __future__ import annotations

import copy
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.digitalocean.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.emulators.digitalocean.knobs import Knobs

COMPONENTS: Final = ("services", "workers", "jobs", "static_sites", "functions")
_BINDABLE: Final = re.compile(r"\$\{(?:([a-z][a-z0-9-]*)\.)?([A-Za-z_][A-Za-z0-9_]*)\}")
_DATABASE: Final = {
    "DATABASE_URL": "postgresql://doadmin:emulated@{name}.emulated:25060/defaultdb",
    "HOSTNAME": "{name}.emulated",
    "PORT": "25060",
    "USERNAME": "doadmin",
    "PASSWORD": "emulated",
    "DATABASE": "defaultdb",
}
_SERVICE: Final = {"PRIVATE_URL": "http://{name}:8080", "HOSTNAME": "{name}"}


class Vault:
    """Knows what was sealed, and for which app."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, str]] = {}

    def seal_spec(self, app: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """A spec as it is kept and shown: secrets as ``EV[1:...]``.

        Raises:
            ApiError: A value is sealed, but not for this app.
        """
        sealed = copy.deepcopy(dict(spec))
        for holder, member in _secrets_in(sealed):
            holder[member] = self._seal(app, str(holder[member]))
        return sealed

    def open(self, value: str) -> str:
        """What was sealed; other values as they are."""
        return self._held.get(value, ("", value))[1]

    def _seal(self, app: str, value: str) -> str:
        if value.startswith("EV["):
            if self._held.get(value, ("", ""))[0] != app:
                raise ApiError(400, "an encrypted environment variable could not be decrypted")
            return value
        sealed = f"EV[1:{secrets.token_urlsafe(24)}:{secrets.token_urlsafe(24 + len(value) % 7)}]"
        self._held[sealed] = app, value
        return sealed


def components(spec: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every component, with the member that it is in."""
    for kind in COMPONENTS:
        for one in spec.get(kind) or ():
            yield kind, one


def _secrets_in(spec: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for holder in (spec, *(one for _, one in components(spec))):
        for variable in holder.get("envs") or ():
            if variable.get("type") == "SECRET" and "value" in variable:
                yield variable, "value"
        if (holder.get("image") or {}).get("registry_credentials"):
            yield holder["image"], "registry_credentials"


def environment(
    vault: Vault, knobs: Knobs, app: str, spec: Mapping[str, Any], component: Mapping[str, Any]
) -> dict[str, str]:
    """What a component's container gets."""
    found = {}
    for variable in (*(spec.get("envs") or ()), *(component.get("envs") or ())):
        if variable.get("scope") != "BUILD_TIME":
            found[str(variable["key"])] = vault.open(str(variable.get("value", "")))
    known = {"APP_ID": app, "APP_URL": f"https://{spec['name']}.emulated", **_bound(spec)}
    known |= {**found, **knobs.bindables}

    def put(match: re.Match[str]) -> str:
        name = f"{match[1]}.{match[2]}" if match[1] else match[2]
        return known.get(name, match[0])

    return {name: _BINDABLE.sub(put, value) for name, value in found.items()}


def _bound(spec: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kind, table in (("databases", _DATABASE), ("services", _SERVICE)):
        for one in spec.get(kind) or ():
            name = str(one["name"])
            found |= {f"{name}.{key}": text.format(name=name) for key, text in table.items()}
    return found
