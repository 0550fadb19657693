"""``Sandbox``: a command in an environment that is chosen by name."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Unpack

from dayfly.contract.errors import ProviderFailed
from dayfly.contract.jobs import Stream
from dayfly.sandbox.bound import Bound
from dayfly.sandbox.command import LOCAL_DOCKER, Command, as_argv
from dayfly.sandbox.environments import Environments
from dayfly.sandbox.profiles import profile_named
from dayfly.sandbox.result import Ended, ExecResult

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from dayfly.sandbox.command import CommandOptions
    from dayfly.sandbox.environments import Resolve
    from dayfly.sandbox.result import Output
    from dayfly.sandbox.runners import RemoteRunner

#: Bytes of each stream that ``exec`` keeps in memory where it is not told.
MAX_OUTPUT: Final = 10 * 1024 * 1024


class Sandbox:
    """Runs commands. Nothing is kept open between them."""

    def __init__(
        self, resolve: Resolve, *, runners: Mapping[str, RemoteRunner] | None = None
    ) -> None:
        """Take how providers are reached.

        Args:
            resolve: From a provider's name to a context that gives its jobs and its
                plugin; ``dayfly.connect`` is one. It raises NotFound for an unknown name.
            runners: Remote runners by name.

        Raises:
            InvalidField: A remote runner has the name of something else.
        """
        self._environments = Environments(resolve, runners or {})

    async def exec(self, argv: Sequence[str], **options: Unpack[CommandOptions]) -> ExecResult:
        """Run a command to its end, and collect what it printed.

        Cancelling the caller stops the command and waits until it has stopped.

        Args:
            argv: Passed on as it is.
            options: See ``Command``; ``max_output`` is 10 MiB unless it is given.

        Raises:
            InvalidField: A field is wrong, or the environment cannot carry it out.
            NotFound: There is no such environment, provider or image.
            DayflyError: It could not be started, or its end cannot be seen.
        """
        options.setdefault("max_output", MAX_OUTPUT)
        async with self.stream(argv, **options) as running:
            return await running.result()

    @asynccontextmanager
    async def stream(
        self, argv: Sequence[str], **options: Unpack[CommandOptions]
    ) -> AsyncIterator[Running]:
        """Run a command, and read what it prints while it runs.

        Leaving the block before the end stops the command and waits until it has stopped.

        Args:
            argv: Passed on as it is.
            options: See ``Command``.

        Raises:
            DayflyError: As ``exec``; most of them once the output is read.
        """
        async with self.run(Command(argv=as_argv(argv), **options)) as running:
            yield running

    @asynccontextmanager
    async def run(self, command: Command) -> AsyncIterator[Running]:
        """As ``stream``, of a command that is one value."""
        as_argv(command.argv)
        profile_named(command.profile)
        environment = self._environments.of(command)
        async with aclosing(environment.run(command)) as events:
            yield Running(events, command)


class Running:
    """A command on its way. Iterate over its output, then ask for its result."""

    def __init__(self, events: AsyncGenerator[Output | Ended, None], command: Command) -> None:
        self._events = events
        self._command = command
        self._bound = Bound(command.max_output)
        self._ended: Ended | None = None

    async def __aiter__(self) -> AsyncGenerator[Output, None]:
        """The output as it comes, up to ``max_output``, to its end."""
        async for event in self._events:
            if isinstance(event, Ended):
                self._ended = event
                return
            for output in self._bound.take(event):
                yield output

    async def result(self) -> ExecResult:
        """Wait for the end. The result has the output that was not iterated over.

        Raises:
            DayflyError: The command was refused, or its end cannot be seen.
        """
        printed = {stream: bytearray() for stream in Stream}
        if self._ended is None:
            async for output in self:
                printed[output.stream] += output.data
        ended = self._ended
        if ended is None:
            raise ProviderFailed("the environment stopped telling before the command's end")
        status, dropped = ended.status, self._bound.dropped
        return ExecResult(
            exit_code=status.exit_code,
            stdout=bytes(printed[Stream.STDOUT] + printed[Stream.COMBINED]),
            stderr=bytes(printed[Stream.STDERR]),
            state=status.state,
            reason=status.reason,
            signal=status.signal,
            message=status.message,
            stdout_dropped=dropped(Stream.STDOUT, Stream.COMBINED),
            stderr_dropped=dropped(Stream.STDERR),
            output_error=ended.output_error,
            notes=ended.notes,
            exec_env=self._command.exec_env or LOCAL_DOCKER,
            profile=ended.profile,
        )
