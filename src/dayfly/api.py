"""The Python API: configuration, a plugin's process, jobs.

Times are seconds, sizes MiB, outputs bytes. Failures are ``dayfly.DayflyError``. What
comes back of a job (state, exit code, reason) is the provider's word, never a guess.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from dayfly.contract.errors import DayflyError, FailedPrecondition
from dayfly.contract.jobs import JobSpec, JobState, JobTarget, Resources, Stream
from dayfly.contract.tokens import from_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from dayfly.contract.jobs import JobHandle, JobStatus, Progress, Reason
    from dayfly.contract.provider import Description
    from dayfly.host import Config, PluginConnection, PluginProcess
    from dayfly.jobs import Job, Jobs, Journal


class JobFields(TypedDict, total=False):
    """What a job is, beside its command. A provider refuses what it cannot carry out.

    Attributes:
        image: Container image; left out for a provider that runs processes.
        entrypoint: Replaces the image's entry point.
        env: Plain variables. Never a secret.
        secrets: Variable to secret reference, such as ``env:DATABASE_URL``.
        cpus: Virtual CPUs.
        memory: Memory in MiB.
        cpu_time: CPU time in all, in seconds.
        timeout: Wall-clock limit in seconds; beyond it the job is stopped, TIMED_OUT.
        grace: Seconds between TERM and KILL when the job is stopped.
        name: What to call it; made from the command when left out.
        working_dir: Directory it starts in.
        user: ``user[:group]``.
        network: Network to join.
        platform: ``os/arch[/variant]``.
        labels: For finding it again.
        target: Run from something that exists, instead of on its own.
    """

    image: str
    entrypoint: Sequence[str]
    env: Mapping[str, str]
    secrets: Mapping[str, str]
    cpus: float
    memory: int
    cpu_time: int
    timeout: int
    grace: int
    name: str
    working_dir: str
    user: str
    network: str
    platform: str
    labels: Mapping[str, str]
    target: JobTarget


def job_spec(command: Sequence[str] | str, job: JobFields) -> JobSpec:
    """The job as the contract has it; whoever launches it checks its fields."""
    line = isinstance(command, str)
    return JobSpec(
        command=() if line else tuple(command),
        run_command=str(command) if line else "",
        image=job.get("image", ""),
        entrypoint=tuple(job.get("entrypoint", ())),
        env=dict(job.get("env", {})),
        secrets=dict(job.get("secrets", {})),
        resources=Resources(
            cpus=job.get("cpus"),
            memory_mib=job.get("memory"),
            cpu_time_seconds=job.get("cpu_time"),
        ),
        timeout_seconds=job.get("timeout"),
        grace_period_seconds=job.get("grace"),
        name=job.get("name", ""),
        working_dir=job.get("working_dir", ""),
        user=job.get("user", ""),
        network=job.get("network", ""),
        platform=job.get("platform", ""),
        labels=dict(job.get("labels", {})),
        target=job.get("target", JobTarget()),
    )


def variables_to_pass(spec: JobSpec) -> tuple[str, ...]:
    """Names of our variables that the plugin needs, to resolve ``env:NAME`` secrets."""
    return tuple(
        reference.removeprefix("env:")
        for reference in spec.secrets.values()
        if reference.startswith("env:")
    )


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
    from dayfly.host import load_config  # noqa: PLC0415 - keeps `import dayfly.api` light

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a job ended and what it printed.

    Attributes:
        name: The job's name.
        key: Its idempotency key.
        status: The provider's last word on it.
        stdout: What it wrote there, whole; all of the output where the provider does
            not keep the streams apart.
        stderr: What it wrote there, whole.
    """

    name: str
    key: str
    status: JobStatus
    stdout: bytes
    stderr: bytes

    @property
    def exit_code(self) -> int | None:
        """0 to 255; None where the provider does not give one."""
        return self.status.exit_code

    @property
    def state(self) -> JobState:
        """SUCCEEDED, FAILED or CANCELLED; UNKNOWN where the job was lost."""
        return self.status.state

    @property
    def reason(self) -> Reason | None:
        """Why it ended as it did."""
        return self.status.reason

    @property
    def ok(self) -> bool:
        """It succeeded."""
        return self.status.state is JobState.SUCCEEDED


def run(
    command: Sequence[str] | str = (),
    *,
    on: str = "",
    key: str | None = None,
    keep: bool = False,
    **job: Unpack[JobFields],
) -> Result:
    """Run a job to its end, collect its output, and remove what it left in the cloud.

    The output is held in memory; read a large one through ``connect``. Ctrl-C cancels
    the job and waits for its stop. Variables that ``env:NAME`` secrets name are passed
    on to the plugin.

    Args:
        command: argv, or one line for ``/bin/sh -c``.
        on: A configuration of dayfly.toml or an installed plugin; empty is the default.
        key: Idempotency key; None is a random one.
        keep: Do not remove the ended job.
        job: What the job is; see ``JobFields``.

    Raises:
        FailedPrecondition: It was called from a running event loop.
        DayflyError: As ``Connection.run``, and when the output or the end cannot be read.
    """
    import asyncio  # noqa: PLC0415 - keeps `import dayfly.api` light

    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - the public one raises
        raise FailedPrecondition(
            "dayfly.run was called from a running event loop, which it would block",
            advice="There, use: async with dayfly.connect(...) as provider.",
        )
    return asyncio.run(_run(command, on=on, key=key, keep=keep, job=job))


async def _run(
    command: Sequence[str] | str, *, on: str, key: str | None, keep: bool, job: JobFields
) -> Result:
    spec = job_spec(command, job)
    async with connect(on, pass_env=variables_to_pass(spec)) as provider:
        running = await provider.jobs.launch(spec, key=key, follow=True)
        printed: dict[Stream, bytearray] = {stream: bytearray() for stream in Stream}
        try:
            async for batch in running.output():
                printed[batch.stream] += batch.data
        except DayflyError:
            await running.wait()  # Output that cannot be read does not stop the job.
            raise
        status = await running.wait()
        if not keep:
            await running.delete()
    return Result(
        name=running.name,
        key=running.key,
        status=status,
        stdout=bytes(printed[Stream.STDOUT] + printed[Stream.COMBINED]),
        stderr=bytes(printed[Stream.STDERR]),
    )


def _ignore(progress: Progress) -> None:
    """Nobody watches this launch."""


def _not_entered(provider: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"the connection to {provider!r} is not open",
        advice="Use it inside: async with dayfly.connect(...) as provider.",
    )
