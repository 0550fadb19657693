"""``SandboxExecService``: each call one command, which ends with it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import grpc.aio

from dayfly.contract.errors import (
    DayflyError,
    DeadlinePassed,
    InvalidField,
    ProviderFailed,
    Throttled,
)
from dayfly.contract.jobs import JobState, Reason, Stream
from dayfly.contract.rpc_errors import abort
from dayfly.contract.wire import sandbox_pb2 as wire
from dayfly.sandbox.agent.request import request_of
from dayfly.sandbox.wire import SERVICE, Trailer, trailer_to_wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.sandbox.agent.policy import Policy
    from dayfly.sandbox.command import Command
    from dayfly.sandbox.result import ExecResult
    from dayfly.sandbox.sandbox import Sandbox

    Context = grpc.aio.ServicerContext[Any, Any]

_log = logging.getLogger("dayfly.agent")

#: Go's clients take messages up to 4 MiB.
_CHUNK: Final = 256 * 1024


class SandboxExec:
    """Runs what the policy admits."""

    def __init__(
        self, sandbox: Sandbox, policy: Policy, *, at_once: int, unread_seconds: float
    ) -> None:
        """Take where commands run.

        Args:
            sandbox: Runs them.
            policy: What may run.
            at_once: Commands at the same time; more are turned away.
            unread_seconds: How long a caller may take none of its output.
        """
        self._sandbox = sandbox
        self._policy = policy
        self._at_once = at_once
        self._unread_seconds = unread_seconds
        self._running: set[asyncio.Task[Any]] = set()

    def handlers(self) -> grpc.GenericRpcHandler:
        """Its one method, read as a stream: a call is admitted before its request is read."""
        method = grpc.stream_stream_rpc_method_handler(
            self._call,
            request_deserializer=wire.SandboxExecRequest.FromString,
            response_serializer=wire.SandboxExecChunk.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"Exec": method})

    async def _call(
        self, requests: AsyncIterator[wire.SandboxExecRequest], context: Context
    ) -> None:
        """Run one command, streaming; the caller's going away stops it."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler is one
        if len(self._running) >= self._at_once:
            await abort(context, Throttled(f"this agent runs {self._at_once} commands at once"))
        self._running.add(task)
        failure: DayflyError
        try:
            await self._exec(await request_of(requests), context)
        except DayflyError as error:
            _log.info("%s: %s", context.peer(), _why(error))
            # Its traceback leads to this frame, and a request of megabytes would stay for long.
            failure = error.with_traceback(None)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - the caller learns no more than that there was one
            _log.error("a fault in the agent", exc_info=True)
            failure = ProviderFailed("the agent failed; its log says why")
        else:
            return
        finally:
            self._running.discard(task)
        # Its place is free by now: who reads nothing does not take an answer either.
        await abort(context, failure)

    async def finish(self, seconds: float) -> None:
        """Wait until commands whose calls were ended have been stopped."""
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=seconds)

    async def _exec(self, request: wire.SandboxExecRequest, context: Context) -> None:
        command = self._policy.admit(request)
        _log.info("%s under %s: %s", context.peer(), command.profile, _shown(command))
        begun = time.monotonic()
        try:
            async with self._sandbox.run(command) as running:
                async for output in running:
                    for at in range(0, len(output.data), _CHUNK):
                        piece = output.data[at : at + _CHUNK]
                        await self._write(context, _chunk(output.stream, piece))
                result = await running.result()
        except asyncio.CancelledError:
            seconds = time.monotonic() - begun
            _log.info("%s stopped after %.1f s: its call ended", _shown(command), seconds)
            raise
        how = result.reason.name if result.reason else result.state.name
        _log.info("%s ended after %.1f s: %s", _shown(command), time.monotonic() - begun, how)
        context.set_trailing_metadata(trailer_to_wire(_trailer(result)))
        code = _code_for(result)
        if code is not None:
            await self._write(context, wire.SandboxExecChunk(exit_code=code))

    async def _write(self, context: Context, chunk: wire.SandboxExecChunk) -> None:
        """Comes back when the transport has room: this is the backpressure."""
        try:
            async with asyncio.timeout(self._unread_seconds):
                await context.write(chunk)
        except TimeoutError:
            raise DeadlinePassed(
                f"the caller took none of the output for {self._unread_seconds:g} s"
            ) from None


def _chunk(stream: Stream, piece: bytes) -> wire.SandboxExecChunk:
    if stream is Stream.STDERR:
        return wire.SandboxExecChunk(stderr=piece)
    return wire.SandboxExecChunk(stdout=piece)


def _code_for(result: ExecResult) -> int | None:
    """What a caller that sees nothing but the code takes for the end."""
    if result.exit_code is not None:
        return result.exit_code
    if result.state is JobState.SUCCEEDED:
        return 0
    # As timeout(1) does; other ends without a code have none here either.
    return 124 if result.reason is Reason.TIMED_OUT else None


def _trailer(result: ExecResult) -> Trailer:
    return Trailer(
        state=result.state,
        reason=result.reason,
        profile=result.profile,
        message=result.message,
        notes=result.notes,
        output_lost=result.output_error.message if result.output_error else "",
    )


def _shown(command: Command) -> str:
    """Program and image: arguments and variables may hold what no log should."""
    return f"{command.argv[0][:80]} in {command.image[:200]}"


def _why(error: DayflyError) -> str:
    """For the log: the words about a wrong field may hold what was in it."""
    if isinstance(error, InvalidField):
        return f"refused: {error.field[:200]} is wrong"
    return f"refused or failed: {error.message[:1000]}"
