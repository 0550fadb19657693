"""One call of an agent: over TLS, with the bearer token, ended with whoever began it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from dayfly.contract.errors import Unauthenticated, Unavailable
from dayfly.contract.handshake import FLOW_OPTIONS
from dayfly.contract.rpc_errors import from_rpc_error
from dayfly.contract.wire.sandbox_pb2_grpc import SandboxExecServiceStub
from dayfly.sandbox.runners import read_file, token_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.errors import DayflyError
    from dayfly.contract.wire import sandbox_pb2 as wire
    from dayfly.sandbox.runners import RemoteRunner

#: A sign of life comes as soon as it is asked for, but a network may be slow.
_MOST_SECONDS: Final = 20


@asynccontextmanager
async def called(
    runner: RemoteRunner, request: wire.SandboxExecRequest, timeout_seconds: int | None
) -> AsyncIterator[Any]:
    """The call, for as long as this is entered.

    Raises:
        FailedPrecondition: The token or a certificate is not there.
    """
    token = token_of(runner)
    async with grpc.aio.secure_channel(
        runner.address, _credentials(runner), options=_options(runner)
    ) as channel:
        call = SandboxExecServiceStub(channel).Exec(
            request,
            timeout=timeout_seconds,
            metadata=(("authorization", f"Bearer {token}"),),
        )
        try:
            yield call
        finally:
            call.cancel()


def failure_of(error: grpc.aio.AioRpcError, runner: RemoteRunner) -> DayflyError:
    """What broke the call, and what to look at where the agent gave no advice itself."""
    where = f"runners.{runner.name}"
    failure = from_rpc_error(
        error, f"to run a command on runner {runner.name!r} at {runner.address}"
    )
    if isinstance(failure, Unauthenticated) and not failure.advice:
        failure.advice = (
            f"See that {where}.token leads to the token that the agent was started with."
        )
    if isinstance(failure, Unavailable) and not failure.advice:
        failure.advice = (
            f"See that an agent listens there, and that {where}.ca is of who signed its "
            "certificate."
        )
    return failure


def _options(runner: RemoteRunner) -> list[tuple[str, str | int]]:
    answer_ms = min(runner.keepalive_seconds, _MOST_SECONDS) * 1000
    options: list[tuple[str, str | int]] = [
        ("grpc.keepalive_time_ms", runner.keepalive_seconds * 1000),
        # Which of the two counts depends on the version of gRPC.
        ("grpc.keepalive_timeout_ms", answer_ms),
        ("grpc.http2.ping_timeout_ms", answer_ms),
        # A command may print nothing for hours; gRPC would ask twice and then no more.
        ("grpc.http2.max_pings_without_data", 0),
        *FLOW_OPTIONS,
    ]
    if runner.server_name:
        options.append(("grpc.ssl_target_name_override", runner.server_name))
    return options


def _credentials(runner: RemoteRunner) -> grpc.ChannelCredentials:
    def pem(field: str) -> bytes | None:
        path = getattr(runner, field)
        return read_file(path, f"runners.{runner.name}.{field}") if path else None

    return grpc.ssl_channel_credentials(
        root_certificates=pem("ca"), private_key=pem("key"), certificate_chain=pem("cert")
    )
