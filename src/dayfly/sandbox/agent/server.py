"""An agent's whole life: refuse to start without TLS and a token, serve, stop gracefully."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.sandbox.agent.bearer import Bearer
from dayfly.sandbox.agent.leftovers import LABEL, stop_leftovers
from dayfly.sandbox.agent.service import SandboxExec
from dayfly.sandbox.sandbox import Sandbox
from dayfly.sandbox.wire import SERVICE

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable

    from dayfly.sandbox.agent.policy import Policy
    from dayfly.sandbox.environments import Reached

_log = logging.getLogger("dayfly.agent")

MIN_TOKEN: Final = 16
#: For stops of commands whose calls were ended, each confirmed by the provider.
_STOP_SECONDS: Final = 60.0

_OPTIONS: Final = (
    # A second agent on the same address is refused, instead of sharing its callers.
    ("grpc.so_reuseport", 0),
    # A caller whose machine is gone says nothing: it is asked, and its command stopped.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Of a request that nobody has read yet, gRPC keeps no more than 64 KiB.
    ("grpc.http2.bdp_probe", 0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How an agent serves.

    Attributes:
        name: By which it finds what an earlier life of it left.
        listen: ``host:port``; port 0 is any.
        token: What callers must show.
        cert: PEM of its certificate, with those that signed it.
        key: PEM of its key.
        client_ca: PEM of who must have signed a caller's certificate; empty asks for none.
        policy: What may run.
        at_once: Commands at the same time.
        grace_seconds: How long commands may go on once it is told to stop.
        unread_seconds: How long a caller may take none of the output that there is for it.
    """

    name: str
    listen: str
    token: str
    cert: bytes
    key: bytes
    policy: Policy
    client_ca: bytes = b""
    at_once: int = 8
    grace_seconds: float = 30.0
    unread_seconds: float = 600.0


def check(setup: Setup) -> None:
    """Refuse to serve anybody who comes.

    Raises:
        FailedPrecondition: The certificate, its key or the token is missing.
        InvalidField: The token is too short, or no image is allowed.
    """
    if not setup.cert or not setup.key:
        raise FailedPrecondition(
            "the agent does not start without TLS: it needs a certificate and its key",
            field="tls_cert",
            advice="Give --tls-cert and --tls-key.",
        )
    if not setup.token:
        raise FailedPrecondition(
            "the agent does not start without a token: anybody could run commands here",
            field="token",
            advice="Give --token-file, or set DAYFLY_AGENT_TOKEN.",
        )
    if len(setup.token) < MIN_TOKEN or not setup.token.isascii() or not setup.token.isprintable():
        raise InvalidField(
            f"the token is not of {MIN_TOKEN} or more printable ASCII characters",
            field="token",
            advice="Make one: openssl rand -hex 32",
        )
    if not setup.policy.images:
        raise InvalidField(
            "no image is allowed, so nothing could run",
            field="allow_image",
            advice="Give --allow-image, such as registry.example/ci/*.",
        )
    setup.policy.clamped("")


async def serve(
    setup: Setup, reached: Reached, stop: asyncio.Event, ready: Callable[[int], None]
) -> None:
    """Serve until told to stop; then take no more, and stop what does not end by itself.

    Args:
        setup: How.
        reached: The provider that runs the commands, for as long as this serves.
        stop: Set to stop.
        ready: Told the port, once callers can come.

    Raises:
        FailedPrecondition: It cannot serve as set up, or the address is taken.
        InvalidField: The token or the policy is wrong.
    """
    check(setup)

    @asynccontextmanager
    async def resolve(name: str) -> AsyncIterator[Reached]:
        del name  # There is one.
        yield reached

    await stop_leftovers(reached.jobs, setup.name)
    policy = setup.policy
    if "labels" in reached.jobs.description.honours:
        policy = replace(policy, labels={LABEL: setup.name})
    service = SandboxExec(
        Sandbox(resolve), policy, at_once=setup.at_once, unread_seconds=setup.unread_seconds
    )
    wellness = health.aio.HealthServicer()
    server = grpc.aio.server(interceptors=(Bearer(setup.token),), options=_OPTIONS)
    server.add_generic_rpc_handlers((service.handlers(),))
    health_pb2_grpc.add_HealthServicer_to_server(wellness, server)
    port = _listen(server, setup)
    await server.start()
    for name in ("", SERVICE):
        await wellness.set(name, health_pb2.HealthCheckResponse.SERVING)
    ready(port)
    try:
        await stop.wait()
        _log.info("stopping; commands have %g s to end", setup.grace_seconds)
        await wellness.enter_graceful_shutdown()
        await server.stop(setup.grace_seconds)
    finally:
        await server.stop(None)
        await service.finish(_STOP_SECONDS)


def _listen(server: grpc.aio.Server, setup: Setup) -> int:
    credentials = grpc.ssl_server_credentials(
        [(setup.key, setup.cert)],
        root_certificates=setup.client_ca or None,
        require_client_auth=bool(setup.client_ca),
    )
    try:
        return server.add_secure_port(setup.listen, credentials)
    except RuntimeError as error:
        raise FailedPrecondition(
            f"the agent cannot listen on {setup.listen} with this certificate: {error}",
            field="listen",
            advice="See whether the address is taken, and the key is the certificate's.",
        ) from error
