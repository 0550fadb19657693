"""What a configuration says: its names, the plugin of each, what each is told."""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.host.discovery import find_plugin
from dayfly.host.environment import check_pattern
from dayfly.host.manifests import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FILE = "dayfly.toml"
DEFAULT_PROVIDER = "local"

_CONFIGURATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ProviderConfig(NamedTuple):
    """One named configuration.

    Attributes:
        name: What ``--on`` takes.
        plugin: The plugin that it configures.
        settings: What the plugin is initialized with.
        pass_env: Variables of this process that the plugin inherits beyond its allowlist,
            those of ``env:`` references under ``secrets`` among them.
    """

    name: str
    plugin: str
    settings: Mapping[str, Any] = MappingProxyType({})
    pass_env: tuple[str, ...] = ()


class Config(NamedTuple):
    """All configurations.

    Attributes:
        path: The file they came from; None where there is none.
        default_provider: The one used when none is named.
        providers: By name.
        runners: Remote runners' tables, by name; whoever reaches them checks them.
    """

    path: Path | None = None
    default_provider: str = DEFAULT_PROVIDER
    providers: Mapping[str, ProviderConfig] = MappingProxyType({})
    runners: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

    def provider(self, name: str = "") -> ProviderConfig:
        """The configuration of this name, or an installed plugin with its defaults.

        Args:
            name: Empty takes the default.

        Raises:
            NotFound: It is neither; the message lists what there is.
        """
        name = name or self.default_provider
        if name in self.providers:
            return self.providers[name]
        try:
            found = find_plugin(name) if NAME.fullmatch(name) else None
        except NotFound:
            found = None
        if found is None:
            raise self._unknown(name)
        return ProviderConfig(name=name, plugin=name)

    def _unknown(self, name: str) -> NotFound:
        where = str(self.path) if self.path else f"(there is no {FILE} here or above)"
        configured = ", ".join(sorted(self.providers)) or "none"
        return NotFound(
            f"there is no provider {name[:120]!r}: it is neither configured nor an installed "
            f"plugin; configured are: {configured} {where}",
            field="provider",
            advice="`dayfly providers` lists the plugins that are installed.",
        )


def parse_config(document: object, path: Path | None = None) -> Config:
    """Check a configuration.

    Raises:
        InvalidField: Naming the key, what it was and what is allowed.
    """
    if not isinstance(document, dict):
        raise _refused("the configuration", document, "a table")
    for key in document.keys() - {"default", "providers", "runners"}:
        allowed = "nothing: the keys here are default, providers and runners"
        raise _refused(key, document[key], allowed)
    default = document.get("default", DEFAULT_PROVIDER)
    if not isinstance(default, str) or not _CONFIGURATION.fullmatch(default):
        raise _refused("default", default, "the name of a configuration or a plugin")
    tables = document.get("providers", {})
    if not isinstance(tables, dict):
        raise _refused("providers", tables, "a table of tables")
    providers = {name: _provider(name, table) for name, table in tables.items()}
    runners = document.get("runners", {})
    if not isinstance(runners, dict):
        raise _refused("runners", runners, "a table of tables")
    for name, table in runners.items():
        if not isinstance(table, dict):
            raise _refused(f"runners.{name}", table, "a table")
    return Config(path=path, default_provider=default, providers=providers, runners=runners)


def _provider(name: str, table: object) -> ProviderConfig:
    key = f"providers.{name}"
    if not _CONFIGURATION.fullmatch(name):
        raise _refused("providers", name, "names of 1 to 63 letters, digits, '_' or '-'")
    if not isinstance(table, dict):
        raise _refused(key, table, "a table")
    plugin = table.get("plugin")
    if not isinstance(plugin, str) or not NAME.fullmatch(plugin):
        raise _refused(f"{key}.plugin", plugin, "the name of a plugin")
    passed = table.get("pass_env", [])
    if not isinstance(passed, list):
        raise _refused(f"{key}.pass_env", passed, "a list of variables' names")
    names = [check_pattern(v, f"{key}.pass_env[{n}]") for n, v in enumerate(passed)]
    settings = {k: v for k, v in table.items() if k not in {"plugin", "pass_env"}}
    _check_settings(settings, key)
    return ProviderConfig(
        name=name,
        plugin=plugin,
        settings=settings,
        pass_env=tuple(dict.fromkeys([*names, *_referenced(settings)])),
    )


def _referenced(settings: Mapping[str, Any]) -> Iterator[str]:
    secrets = settings.get("secrets")
    for reference in secrets.values() if isinstance(secrets, dict) else ():
        if isinstance(reference, str) and reference.startswith("env:"):
            variable = reference.removeprefix("env:")
            if _VARIABLE.fullmatch(variable):  # Otherwise the plugin refuses it, by name.
                yield variable


def _check_settings(value: object, key: str) -> None:
    """What JSON cannot carry is refused: TOML's dates, and numbers that are none."""
    match value:
        case dict():
            _check_each(((f"{key}.{name}", item) for name, item in value.items()))
        case list():
            _check_each((f"{key}[{number}]", item) for number, item in enumerate(value))
        case float() if not math.isfinite(value):
            raise _refused(key, value, "a finite number")
        case bool() | str() | int() | float():
            return
        case _:
            raise _refused(key, value, "text, a number, true, false, a list or a table")


def _check_each(items: Iterable[tuple[str, object]]) -> None:
    for key, item in items:
        _check_settings(item, key)


def _refused(key: str, got: object, allowed: str) -> InvalidField:
    shown = repr(got)
    shown = shown if len(shown) <= 120 else shown[:120] + "..."
    return InvalidField(f"{key} is {shown}; allowed: {allowed}", field=key)
