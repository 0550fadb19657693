"""plugin.json: what a plugin says of itself before it is started."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dayfly.contract.errors import InvalidField
from dayfly.host.environment import check_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 1024 * 1024

#: The contract sets no length; a directory's name and a label have one.
NAME = re.compile(r"[a-z][a-z0-9-]{0,61}[a-z0-9]")
VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_SERVICE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


class Manifest(NamedTuple):
    """A plugin.json, checked.

    Attributes:
        name: The plugin's name, which is its directory's too.
        version: ``X.Y.Z``.
        author: Who made it.
        description: One line for a person.
        services: Full names of the services it declares; the plugin itself decides.
        environment: Variables, or prefixes with ``*``, that it inherits beyond the usual.
        module: Python module to run; empty where it is an executable.
        required_config: Configuration keys without which it does not start.
    """

    name: str
    version: str
    author: str = ""
    description: str = ""
    services: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    module: str = ""
    required_config: tuple[str, ...] = ()


def read_manifest(path: Path) -> Manifest:
    """Read and check a plugin.json.

    Raises:
        InvalidField: It cannot be read, or a field in it is wrong; the message begins
            with the file's path.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidField(f"{path}: cannot be read: {error.strerror}", field="manifest") from error
    if len(raw) > MAX_BYTES:
        raise InvalidField(f"{path}: is over {MAX_BYTES} bytes", field="manifest")
    try:
        return parse_manifest(json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise InvalidField(f"{path}: is not JSON: {error}", field="manifest") from error
    except InvalidField as error:
        raise InvalidField(f"{path}: {error.message}", field=error.field) from error


def parse_manifest(document: object) -> Manifest:
    """Check what a plugin.json holds; fields that are not ours to know are let pass.

    Raises:
        InvalidField: Naming the field, what it was and what is allowed.
    """
    if not isinstance(document, dict):
        raise _refused("manifest", document, "an object")
    kind = document.get("type", "external")
    if kind != "external":
        raise _refused("type", kind, "'external'")
    _check_plan_version(_table(document, "iacProvider"))
    ours = _table(document, "dayfly")
    unknown = sorted(ours.keys() - {"environment", "module", "services"})
    if unknown:
        allowed = "environment, module and services only"
        raise _refused(f"dayfly.{unknown[0]}", ours[unknown[0]], allowed)
    return Manifest(
        name=_matching(
            document, "name", NAME, "2 to 63 lower case letters, digits and hyphens, a letter first"
        ),
        version=_matching(document, "version", VERSION, "X.Y.Z"),
        author=_text(document, "author"),
        description=_text(document, "description"),
        services=_services(document) + _services(ours, "services", "dayfly."),
        environment=tuple(
            check_pattern(item, f"dayfly.environment[{number}]")
            for number, item in enumerate(_list(ours, "environment", "dayfly."))
        ),
        module=_matching(ours, "module", _MODULE, "a module's dotted name", "dayfly.")
        if "module" in ours
        else "",
        required_config=_list_matching(
            document, "required_config", re.compile(r".{1,200}"), "names of keys"
        ),
    )


def _check_plan_version(table: Mapping[str, Any]) -> None:
    version = table.get("computePlanVersion", "v2")
    if version != "v2":
        raise _refused("iacProvider.computePlanVersion", version, "'v2'")


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise _refused(key, value, "an object")
    return value


def _text(document: Mapping[str, Any], key: str, prefix: str = "") -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _refused(prefix + key, value, "text that is not empty")
    return value


def _matching(
    document: Mapping[str, Any], key: str, form: re.Pattern[str], allowed: str, prefix: str = ""
) -> str:
    value = _text(document, key, prefix)
    if not form.fullmatch(value):
        raise _refused(prefix + key, value, allowed)
    return value


def _list(document: Mapping[str, Any], key: str, prefix: str = "") -> list[object]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise _refused(prefix + key, value, "a list")
    return value


def _services(
    document: Mapping[str, Any], key: str = "iacServices", prefix: str = ""
) -> tuple[str, ...]:
    return _list_matching(document, key, _SERVICE, "full names of services", prefix)


def _list_matching(
    document: Mapping[str, Any], key: str, form: re.Pattern[str], allowed: str, prefix: str = ""
) -> tuple[str, ...]:
    found = []
    for number, item in enumerate(_list(document, key, prefix)):
        if not isinstance(item, str) or not form.fullmatch(item):
            raise _refused(f"{prefix}{key}[{number}]", item, allowed)
        found.append(item)
    return tuple(found)


def _refused(field: str, got: object, allowed: str) -> InvalidField:
    shown = repr(got)
    shown = shown if len(shown) <= 120 else shown[:120] + "..."
    return InvalidField(f"{field} is {shown}; allowed: {allowed}", field=field)
