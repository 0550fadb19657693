"""A plugin.json made of what the plugin itself says when it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc.aio
from google.protobuf.empty_pb2 import Empty

from dayfly.contract import names
from dayfly.contract.rpc_errors import from_rpc_error
from dayfly.contract.wire.plugin_service_pb2_grpc import PluginServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dayfly.host.connection import PluginConnection

_SECONDS: Final = 20.0

#: As people meet them: the contract's own first.
_ORDER: Final = (
    names.REQUIRED,
    names.RUNNER,
    names.CANCELER,
    names.REGION_LISTER,
    names.LOG_CAPTURE,
    names.SUBMIT,
    names.OBSERVE,
    names.EVENTS,
    names.INVENTORY,
)


async def served_manifest(
    plugin: PluginConnection, before: Mapping[str, Any], *, module: str = ""
) -> dict[str, Any]:
    """The plugin.json of a running plugin.

    Args:
        plugin: It is asked.
        before: The plugin.json that there is; what a plugin cannot say of itself, such as
            its licence and the variables that it inherits, stays as it is there.
        module: Python module that runs it, where ``before`` does not say.

    Raises:
        DayflyError: The plugin could not be asked.
    """
    try:
        said = await PluginServiceStub(plugin.channel).GetManifest(Empty(), timeout=_SECONDS)
        author, description = said.author, said.description
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
            raise from_rpc_error(error, "asking the plugin for its manifest") from error
        author = description = ""
    services = in_order(plugin.advertised)
    ours = _ours(before, module, [name for name in services if not name.startswith(names.IAC)])
    document = {
        "name": plugin.name,
        "version": plugin.version,
        "author": author or before.get("author", ""),
        "description": description or before.get("description", ""),
        "type": "external",
        "tier": before.get("tier", "community"),
        **({"license": before["license"]} if "license" in before else {}),
        "iacServices": [name for name in services if name.startswith(names.IAC)],
        "iacProvider": {**before.get("iacProvider", {}), "computePlanVersion": "v2"},
        "capabilities": _capabilities(plugin.name, _table(before, "capabilities")),
        "required_secrets": before.get("required_secrets", []),
        "required_config": before.get("required_config", []),
        **({"dayfly": ours} if ours else {}),
    }
    return document | {key: value for key, value in before.items() if key not in document}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of the fields in which two differ; the order of services says nothing."""
    return [
        key
        for key in dict.fromkeys((*before, *after))
        if _comparable(before.get(key)) != _comparable(after.get(key))
    ]


def in_order(services: Iterable[str]) -> list[str]:
    """Services, those that we know first and in the order of the contract."""
    known = {name: number for number, name in enumerate(_ORDER)}
    return sorted(services, key=lambda name: (known.get(name, len(known)), name))


def _capabilities(name: str, before: Mapping[str, Any]) -> dict[str, Any]:
    provider = {**_table(before, "iacProvider"), "name": name}
    return {**before, "iacProvider": provider, "moduleTypes": ["iac.provider"]}


def _table(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A part of a plugin.json; one of another form is of none that a host reads now."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _ours(before: Mapping[str, Any], module: str, services: list[str]) -> dict[str, Any]:
    """What is ours to know, with the services that are not of the Go contract."""
    ours = before.get("dayfly", {"module": module, "environment": []} if module else {})
    kept = {key: value for key, value in ours.items() if key != "services"}
    return kept | ({"services": services} if services else {})


def _comparable(value: object) -> object:
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    return sorted(map(str, value)) if isinstance(value, list) else value
