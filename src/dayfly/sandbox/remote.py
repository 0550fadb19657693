"""A command on a remote runner, through ``SandboxExecService``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from dayfly.contract.errors import DataLoss, InvalidField, ProviderFailed
from dayfly.contract.jobs import JobHandle, JobState, JobStatus, Reason, Stream
from dayfly.contract.wire import sandbox_pb2 as wire
from dayfly.sandbox.calling import called, failure_of
from dayfly.sandbox.command import DEFAULT_IMAGE, is_reference, variables
from dayfly.sandbox.result import Ended, Output
from dayfly.sandbox.wire import trailer_from_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dayfly.sandbox.command import Command
    from dayfly.sandbox.runners import RemoteRunner
    from dayfly.sandbox.wire import Trailer

#: An agent that sent the exit code has nothing more to do; one that hangs there is not waited for.
_TRAILER_SECONDS: Final = 2.0

_LATER_SECONDS: Final = 10
#: What the wire has no field for.
_BEYOND: Final = ("cpus", "memory_mib", "network", "user", "labels")


class RemoteEnvironment:
    """Sends each command to one agent."""

    def __init__(self, runner: RemoteRunner) -> None:
        self._runner = runner

    async def run(self, command: Command) -> AsyncGenerator[Output | Ended, None]:
        """Send it, pass the output on; closed early it ends the call, and the agent the job.

        The timeout is kept here: the call ends with it.

        Raises:
            InvalidField: It asks for what the wire cannot say.
            FailedPrecondition: The token or a certificate is not there.
            ProviderFailed: The agent went away without telling how the command ended.
            DayflyError: The agent refused, or cannot be reached.
        """
        request, left_out = self._request(command)
        timeout = command.timeout_seconds
        until = asyncio.get_running_loop().time() + timeout if timeout else None
        # The agent is told to give up a little later, so that one of the two says what happened.
        last = timeout + _LATER_SECONDS if timeout else None
        async with called(self._runner, request, last) as call:
            try:
                code: int | None = None
                while code is None:
                    chunk = await self._next(call, until)
                    if chunk is grpc.aio.EOF:
                        break
                    if chunk.WhichOneof("payload") == "exit_code":
                        code = chunk.exit_code
                    elif output := _output(chunk):
                        yield output
                trailer = await _trailer(call)
            except TimeoutError:
                yield self._timed_out(command, left_out)
                return
            if code is None and trailer.state is None:
                raise ProviderFailed(
                    f"runner {self._runner.name!r} closed the stream without an exit code: how "
                    "the command ended is not known",
                    advice="See the agent's log; it may have been stopped.",
                )
            yield self._ended(code, trailer, command, left_out)

    async def _next(self, call: Any, until: float | None) -> Any:
        """What the agent says next; TimeoutError when the command's time is up."""
        try:
            async with asyncio.timeout_at(until):
                chunk = await call.read()
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and until is not None:
                raise TimeoutError from error
            raise failure_of(error, self._runner) from error
        if chunk is None:  # As gRPC gives what it cannot decode.
            raise ProviderFailed(f"runner {self._runner.name!r} sent what is no chunk")
        return chunk

    def _request(self, command: Command) -> tuple[wire.SandboxExecRequest, tuple[str, ...]]:
        beyond = [name for name in _BEYOND if getattr(command, name)]
        if beyond and not command.best_effort:
            raise InvalidField(
                f"runner {self._runner.name!r} cannot be told {', '.join(beyond)}: the wire to a "
                "remote runner has no field for it, and the agent's profile decides",
                field=beyond[0],
                advice="Leave it out, or use --profile-best-effort, which does and says so.",
            )
        plain, secrets = variables(command)
        for name, reference in secrets.items():
            if not is_reference(reference):
                raise InvalidField(
                    f"secrets.{name} is no secret:// reference, and the agent of runner "
                    f"{self._runner.name!r} resolves no others",
                    field=f"secrets.{name}",
                )
        request = wire.SandboxExecRequest(
            profile=command.profile,
            image=command.image or DEFAULT_IMAGE,
            command=command.argv,
            env=plain | secrets,
            workdir=command.working_dir,
        )
        if not beyond:
            return request, ()
        return request, (f"runner {self._runner.name!r} was not told: {', '.join(beyond)}",)

    def _ended(
        self, code: int | None, trailer: Trailer, command: Command, left_out: tuple[str, ...]
    ) -> Ended:
        status = self._status(code, trailer)
        notes = (*left_out, *trailer.notes)
        if trailer.profile and trailer.profile != command.profile:
            asked = command.profile
            name = self._runner.name
            notes += (f"runner {name!r} ran it as {trailer.profile!r}, not as {asked!r}",)
        lost = DataLoss(trailer.output_lost) if trailer.output_lost else None
        return Ended(status=status, profile=trailer.profile, notes=notes, output_error=lost)

    def _status(self, code: int | None, trailer: Trailer) -> JobStatus:
        known = code if code is not None and 0 <= code <= 255 else None
        if not trailer.agrees_with(known):
            return self._contradiction(code, trailer)
        message = trailer.message
        if code != known:
            message = message or f"the agent gave the exit code {code}"
        state = trailer.state or (JobState.SUCCEEDED if known == 0 else JobState.FAILED)
        plain = Reason.COMPLETED if state is JobState.SUCCEEDED else Reason.EXITED_NONZERO
        return JobStatus(
            handle=JobHandle(id=self._runner.name, provider=self._runner.name),
            state=state,
            exit_code=known,
            reason=trailer.reason or (plain if known is not None else Reason.PROVIDER_ERROR),
            message=message,
        )

    def _contradiction(self, code: int | None, trailer: Trailer) -> JobStatus:
        words = [word.name for word in (trailer.state, trailer.reason) if word is not None]
        return JobStatus(
            handle=JobHandle(id=self._runner.name, provider=self._runner.name),
            state=JobState.UNKNOWN,
            reason=Reason.PROVIDER_ERROR,
            message=f"the agent contradicts itself: {', '.join(words)}, and exit code {code}",
        )

    def _timed_out(self, command: Command, left_out: tuple[str, ...]) -> Ended:
        return Ended(
            notes=left_out,
            status=JobStatus(
                handle=JobHandle(id=self._runner.name, provider=self._runner.name),
                state=JobState.FAILED,
                reason=Reason.TIMED_OUT,
                message=f"stopped after its timeout of {command.timeout_seconds} s",
            ),
        )


def _output(chunk: wire.SandboxExecChunk) -> Output | None:
    match chunk.WhichOneof("payload"):
        case "stdout":
            return Output(stream=Stream.STDOUT, data=chunk.stdout)
        case "stderr":
            return Output(stream=Stream.STDERR, data=chunk.stderr)
        case _:  # A payload of a later version of the wire.
            return None


async def _trailer(call: Any) -> Trailer:
    try:
        async with asyncio.timeout(_TRAILER_SECONDS):
            return trailer_from_wire(await call.trailing_metadata())
    except TimeoutError:
        return trailer_from_wire(())
