"""The table of exec environments: from a name to how a command is run there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound
from dayfly.sandbox.command import EPHEMERAL, LOCAL_DOCKER, PROVIDER_EPHEMERAL
from dayfly.sandbox.job import JobEnvironment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from dayfly.contract.services import Services
    from dayfly.jobs import Jobs
    from dayfly.sandbox.command import Command
    from dayfly.sandbox.result import Ended, Output
    from dayfly.sandbox.runners import RemoteRunner

    Resolve = Callable[[str], AbstractAsyncContextManager["Reached"]]

#: The plugin that serves ``ephemeral``.
_ARGO: Final = "argo"


class LoadedPlugin(Protocol):
    """A plugin that was loaded."""

    @property
    def services(self) -> Services:
        """What it advertises."""
        ...


class Reached(Protocol):
    """A provider that was resolved by its name; ``dayfly.connect`` gives one."""

    @property
    def jobs(self) -> Jobs:
        """Its jobs."""
        ...

    @property
    def plugin(self) -> LoadedPlugin:
        """Its plugin."""
        ...


class Environment(Protocol):
    """Where a command can be run."""

    def run(self, command: Command) -> AsyncGenerator[Output | Ended, None]:
        """The output as it comes, then the end.

        Closing it before the end stops the command, and waits until it has stopped.

        Raises:
            DayflyError: The command was refused, or its end cannot be seen.
        """
        ...


class Environments:
    """Which names there are."""

    def __init__(self, resolve: Resolve, runners: Mapping[str, RemoteRunner]) -> None:
        """Take how providers are reached, and the remote runners.

        Raises:
            InvalidField: A remote runner has the name of something else.
        """
        self._resolve = resolve
        self._runners = runners
        self._known = {
            LOCAL_DOCKER: self._local_docker,
            EPHEMERAL: self._ephemeral,
            PROVIDER_EPHEMERAL: self._provider_ephemeral,
        }
        for name in runners.keys() & self._known.keys():
            raise InvalidField(
                f"a remote runner is named {name!r}, which means something else here",
                field=f"runners.{name}",
            )

    def of(self, command: Command) -> Environment:
        """Where this command runs.

        Raises:
            InvalidField: ``provider`` is missing, or is given to who has no use for it.
            NotFound: There is no environment of this name.
            FailedPrecondition: It needs something that is not set up.
        """
        name = command.exec_env or LOCAL_DOCKER
        if command.provider and name != PROVIDER_EPHEMERAL:
            raise _useless("provider", command.provider, name, PROVIDER_EPHEMERAL)
        if command.argo_module and name != EPHEMERAL:
            raise _useless("argo_module", command.argo_module, name, EPHEMERAL)
        if name in self._known:
            return self._known[name](command)
        if name not in self._runners:
            raise self._unknown(name)
        from dayfly.sandbox.remote import RemoteEnvironment  # noqa: PLC0415 - imports grpc

        return RemoteEnvironment(self._runners[name])

    def _local_docker(self, command: Command) -> Environment:
        del command
        return JobEnvironment(self._resolve, "docker", LOCAL_DOCKER)

    def _provider_ephemeral(self, command: Command) -> Environment:
        name = command.provider.strip()
        if not name:
            raise InvalidField(
                f"exec_env {PROVIDER_EPHEMERAL!r} needs a provider, and none is named",
                field="provider",
                advice="Name one: --provider NAME, or provider: in the step. "
                "`dayfly providers` lists what there is.",
            )
        return JobEnvironment(self._resolve, name, PROVIDER_EPHEMERAL)

    def _ephemeral(self, command: Command) -> Environment:
        module = command.argo_module
        asked = f" (argo_module is {module!r})" if module else ""
        raise FailedPrecondition(
            f"exec_env {EPHEMERAL!r} is a workflow of Argo{asked}, and this version has no "
            f"provider for Argo Workflows yet",
            field="exec_env",
            advice=f"A plugin that runs jobs on Argo can be used now: configure it as "
            f'[providers.NAME] with plugin = "{_ARGO}", and use --exec-env '
            f"{PROVIDER_EPHEMERAL} --provider NAME.",
        )

    def _unknown(self, name: str) -> NotFound:
        runners = ", ".join(sorted(self._runners)) or "none"
        return NotFound(
            f"there is no exec_env {name[:120]!r}: it is none of {', '.join(self._known)}, nor a "
            f"remote runner; configured runners: {runners}",
            field="exec_env",
            advice=f"Add a table [runners.{name[:60]}] with an address to dayfly.toml.",
        )


def _useless(field: str, got: str, name: str, only: str) -> InvalidField:
    return InvalidField(
        f"{field} is {got[:120]!r}, and exec_env {name!r} has no use for it",
        field=field,
        advice=f"Leave it out, or set exec_env to {only}.",
    )
