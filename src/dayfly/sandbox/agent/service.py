"""``SandboxExecService``: each call one command, which ends with it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

import grpc.aio

from dayfly.contract.errors import DayflyError, ProviderFailed, Throttled
from dayfly.contract.jobs import JobState, Reason, Stream
from dayfly.contract.rpc_errors import abort
from dayfly.contract.wire import sandbox_pb2 as wire
from dayfly.contract.wire.sandbox_pb2_grpc import SandboxExecServiceServicer
from dayfly.sandbox.wire import Trailer, trailer_to_wire

if TYPE_CHECKING:
    from dayfly.sandbox.agent.policy import Policy
    from dayfly.sandbox.command import Command
    from dayfly.sandbox.result import ExecResult
    from dayfly.sandbox.sandbox import Sandbox

    Context = grpc.aio.ServicerContext[Any, Any]

_log = logging.getLogger("dayfly.agent")

#: Go's clients take messages up to 4 MiB.
_CHUNK: Final = 256 * 1024


class SandboxExec(SandboxExecServiceServicer):
    """Runs what the policy admits."""

    def __init__(self, sandbox: Sandbox, policy: Policy, *, at_once: int) -> None:
        """Take where commands run.

        Args:
            sandbox: Runs them.
            policy: What may run.
            at_once: Commands at the same time; more are turned away.
        """
        self._sandbox = sandbox
        self._policy = policy
        self._at_once = at_once
        self._running: set[asyncio.Task[Any]] = set()

    async def Exec(self, request: wire.SandboxExecRequest, context: Context) -> None:  # type: ignore[override]  # noqa: N802
        """Run one command, streaming; the caller's going away stops it."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler is one
        if len(self._running) >= self._at_once:
            await abort(context, Throttled(f"this agent runs {self._at_once} commands at once"))
        self._running.add(task)
        try:
            await self._exec(request, context)
        except DayflyError as error:
            _log.info("%s: refused or failed: %s", context.peer(), error.message)
            await abort(context, error)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception:  # noqa: BLE001 - the caller learns no more than that there was one
            _log.error("a fault in the agent", exc_info=True)
            await abort(context, ProviderFailed("the agent failed; its log says why"))
        finally:
            self._running.discard(task)

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
                        # Comes back when the transport has room: this is the backpressure.
                        await context.write(_chunk(output.stream, piece))
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
            await context.write(wire.SandboxExecChunk(exit_code=code))


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
