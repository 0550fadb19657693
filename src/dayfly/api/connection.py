"""A provider's plugin in a process of its own, and jobs over it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self, Unpack

from dayfly.api.fields import JobFields, job_spec
from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.tokens import from_token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from dayfly.contract.jobs import JobHandle, Progress
    from dayfly.contract.provider import Description
    from dayfly.host import Config, PluginConnection, PluginProcess
    from dayfly.jobs import Job, Jobs, Journal


def connect(
    provider: str = "",
    *,
    config: Config | None = None,
    pass_env: Sequence[str] = (),
    journal: Journal | None = None,
    keep_journal: bool = True,
) -> Connection:
    """A connection to a provider, to be entered with ``async with``.

    Args:
        provider: A configuration of dayfly.toml or an installed plugin; empty is the
            configured default, and without one ``local``.
        config: The configuration; None reads it as the command line does.
        pass_env: Names of variables of this process that the plugin may read, as it
            must to resolve ``env:NAME`` secrets.
        journal: Where launches are written down; None is the user's own.
        keep_journal: False writes nothing down, and gives up crash safety with it.

    Raises:
        NotFound: There is no such configuration or plugin.
        InvalidField: The configuration is wrong; naming the field.
    """
    from dayfly.host import load_config  # noqa: PLC0415 - keeps the import light

    config = load_config() if config is None else config
    name = provider or config.default_provider
    return Connection(
        name, config, pass_env=tuple(pass_env), journal=journal, keep_journal=keep_journal
    )


class Connection:
    """A provider's plugin, running in a process of its own for as long as this is entered.

    Attributes:
        provider: Name of the configuration.
    """

    def __init__(
        self,
        provider: str,
        config: Config,
        *,
        pass_env: tuple[str, ...] = (),
        journal: Journal | None = None,
        keep_journal: bool = True,
    ) -> None:
        self.provider = provider
        self._settings = config.provider(provider)
        self._pass_env = pass_env
        self._journal = journal
        self._keep_journal = keep_journal
        self._process: PluginProcess | None = None
        self._plugin: PluginConnection | None = None
        self._jobs: Jobs | None = None
        self._stack = AsyncExitStack()

    def start(self, process: PluginProcess | None = None) -> None:
        """Start the plugin's process ahead of entering, to do something else meanwhile.

        The calling thread must live as long as the connection: Linux ends the plugin
        with the thread that started it.

        Args:
            process: One of this provider's plugin that runs already; None starts one.

        Raises:
            NotFound: The plugin is not installed.
            FailedPrecondition: Its program cannot be started.
        """
        from dayfly.host import find_plugin, spawn  # noqa: PLC0415 - keeps the import light

        self._process = self._process or process
        if self._process is None:
            wanted = dict.fromkeys((*self._settings.pass_env, *self._pass_env))
            self._process = spawn(find_plugin(self._settings.plugin), pass_env=tuple(wanted))

    def abandon(self) -> None:
        """End the plugin's process at once, without a word; for a caller that must go."""
        if self._process is not None:
            self._process.close()

    async def __aenter__(self) -> Self:
        import asyncio  # noqa: PLC0415 - whoever enters this has it already

        from dayfly.host import connect as dial  # noqa: PLC0415 - imports grpc
        from dayfly.jobs import Jobs  # noqa: PLC0415 - while the plugin starts

        self.start()
        assert self._process is not None  # noqa: S101 - start() has set it
        async with AsyncExitStack() as stack:
            # The journal opens while the plugin starts: both take their time.
            opening = asyncio.create_task(asyncio.to_thread(self._open_journal))
            stack.push_async_callback(asyncio.wait, [opening])
            self._plugin = await stack.enter_async_context(
                dial(self._process, config=self._settings.settings)
            )
            journal = await opening
            self._jobs = await stack.enter_async_context(
                Jobs(self._plugin.services, provider=self.provider, journal=journal)
            )
            self._stack = stack.pop_all()
        return self

    def _open_journal(self) -> Journal | None:
        from dayfly.jobs import Journal  # noqa: PLC0415 - while the plugin starts

        if self._journal is not None or not self._keep_journal:
            return self._journal
        return Journal.open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._jobs = self._plugin = self._process = None
        await self._stack.__aexit__(kind, error, trace)

    @property
    def jobs(self) -> Jobs:
        """Launch, list, plan, prune: everything beyond ``run``.

        Raises:
            FailedPrecondition: The connection is not entered.
        """
        if self._jobs is None:
            raise _not_entered(self.provider)
        return self._jobs

    @property
    def plugin(self) -> PluginConnection:
        """The loaded plugin: its name, version and services.

        Raises:
            FailedPrecondition: The connection is not entered.
        """
        if self._plugin is None:
            raise _not_entered(self.provider)
        return self._plugin

    async def run(
        self,
        command: Sequence[str] | str = (),
        *,
        key: str | None = None,
        detached: bool = False,
        follow: bool = False,
        report: Callable[[Progress], None] | None = None,
        **job: Unpack[JobFields],
    ) -> Job:
        """Launch a job; it runs when this returns. Cancelling the caller cancels the job.

        Args:
            command: argv, passed on as it is; or a text, which is one line for
                ``/bin/sh -c``.
            key: Idempotency key: the same key is the same job, launched once. None is
                a random one.
            detached: The job goes on when the caller is cancelled or gone.
            follow: The caller reads the output from its first byte, at once.
            report: Called with the launch's progress.
            job: What the job is; see ``JobFields``.

        Returns:
            The job: ``status``, ``wait``, ``logs``, ``output``, ``cancel``, ``delete``.

        Raises:
            InvalidField: A field is wrong, or this provider cannot carry it out; nothing
                was started.
            AlreadyExists: The key belongs to a different job.
            DayflyError: The launch failed; ``reason`` says why where that is known.
        """
        return await self.jobs.launch(
            job_spec(command, job),
            key=key,
            follow=follow,
            detached=detached,
            report=report or _ignore,
        )

    def attach(self, handle: JobHandle | str) -> Job:
        """A job that runs or ran, from its handle or its token.

        Raises:
            InvalidField: The token is damaged.
        """
        return self.jobs.attach(from_token(handle) if isinstance(handle, str) else handle)

    async def describe(self) -> Description:
        """What the provider can honour."""
        return await self.jobs.describe()


def _ignore(progress: Progress) -> None:
    """Nobody watches this launch."""


def _not_entered(provider: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"the connection to {provider!r} is not open",
        advice="Use it inside: async with dayfly.connect(...) as provider.",
    )
