"""A plugin.json against the plugin: does it say what is really there?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import grpc
import grpc.aio

from dayfly.contract import names
from dayfly.contract.rpc_errors import from_rpc_error

if TYPE_CHECKING:
    from dayfly.host.connection import PluginConnection
    from dayfly.host.manifests import Manifest

_REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_REFLECTION_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in which a manifest and its plugin differ.

    Attributes:
        field: The manifest's field.
        message: A sentence.
        severe: The plugin cannot be trusted to do what it declares.
        service: Full name of the service that it is about; empty for other fields.
    """

    field: str
    message: str
    severe: bool
    service: str = ""


async def verify_manifest(manifest: Manifest, plugin: PluginConnection) -> list[Finding]:
    """Compare names, versions, and services declared, announced and registered.

    Returns:
        What differs; nothing when all is well. A service that is declared and missing is
        severe, one that is there and not declared is not.

    Raises:
        DayflyError: The plugin could not be asked.
    """
    declared, announced = set(manifest.services), plugin.advertised
    registered = await _registered(plugin.channel)
    return [
        *_identity(manifest, plugin),
        *_each(declared - announced - {names.REQUIRED}, "declared and not announced"),
        *_each(announced - declared, "announced and not declared", severe=False),
        *_each(announced - (registered or announced), "announced and not served"),
    ]


def _identity(manifest: Manifest, plugin: PluginConnection) -> list[Finding]:
    pairs = (("name", manifest.name, plugin.name), ("version", manifest.version, plugin.version))
    return [
        Finding(
            field=field,
            message=f"plugin.json says {said!r}, the plugin says {says!r}",
            severe=True,
        )
        for field, said, says in pairs
        if said != says
    ]


def _each(services: set[str] | frozenset[str], what: str, *, severe: bool = True) -> list[Finding]:
    return [
        Finding(
            field="iacServices" if service.startswith(names.IAC) else "dayfly.services",
            message=f"{service} is {what}",
            severe=severe,
            service=service,
        )
        for service in sorted(services)
    ]


async def _registered(channel: grpc.aio.Channel) -> frozenset[str] | None:
    """What the server itself lists, by reflection; None where it has none."""
    from grpc_reflection.v1alpha import reflection_pb2 as reflection  # noqa: PLC0415 - rare

    # One question, so called as a method that takes one: writing to a stream that a server
    # without reflection has refused already fails as INTERNAL, and hides why.
    ask = channel.unary_stream(
        _REFLECTION,
        request_serializer=reflection.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection.ServerReflectionResponse.FromString,
    )
    call = ask(reflection.ServerReflectionRequest(list_services=""), timeout=_REFLECTION_SECONDS)
    try:
        answer = await call.read()
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            return None
        raise from_rpc_error(error, "asking the plugin which services it has") from error
    finally:
        call.cancel()
    if answer is grpc.aio.EOF:
        return None
    listed = cast("reflection.ServerReflectionResponse", answer).list_services_response
    return frozenset(service.name for service in listed.service)
