"""What every capability shares: the settings, the client, and the runner that jobs go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dayfly.contract.errors import FailedPrecondition, NotFound

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.logs.reader import LogReader
    from dayfly.providers.aws.runners import Runner


T = TypeVar("T")


class Session:
    """One configuration at work."""

    def __init__(self) -> None:
        self._config: Config | None = None
        self._aws: Aws | None = None
        self._logs: LogReader | None = None
        self._runners: dict[str, Runner] = {}

    async def configure(self, config: Config) -> None:
        """Take the settings, also again; AWS is not asked yet."""
        # Imported now: the host has dialled already, and waits for no import.
        from dayfly.providers.aws.batch.runner import BatchRunner  # noqa: PLC0415
        from dayfly.providers.aws.client import Aws  # noqa: PLC0415
        from dayfly.providers.aws.ecs.runner import EcsRunner  # noqa: PLC0415
        from dayfly.providers.aws.logs.reader import LogReader  # noqa: PLC0415

        await self.close()
        aws = Aws(config)
        self._config, self._aws, self._logs = config, aws, LogReader(aws, config)
        self._runners = {"ecs": EcsRunner(aws, config), "batch": BatchRunner(aws, config)}

    async def close(self) -> None:
        """Let go of every connection."""
        for runner in self._runners.values():
            await runner.close()
        if self._logs is not None:
            await self._logs.close()
        if self._aws is not None:
            await self._aws.close()
        self._aws = self._logs = None

    @property
    def config(self) -> Config:
        """The settings.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        return _needed(self._config)

    @property
    def aws(self) -> Aws:
        """Calls to AWS.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        return _needed(self._aws)

    @property
    def logs(self) -> LogReader:
        """Reads CloudWatch Logs.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        return _needed(self._logs)

    @property
    def runner(self) -> Runner:
        """Where launches go.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        return self._runners[self.config.runner]

    def runner_of(self, handle: JobHandle) -> Runner:
        """Where a job was launched, whatever is configured now.

        Raises:
            NotFound: The handle is none of this provider's.
        """
        _needed(self._config)
        name = handle.metadata.get("runner", "")
        if name not in self._runners:
            raise NotFound(
                f"the handle {handle.id!r:.200} was not made by this provider: its runner is "
                f"{name!r:.50}",
                field="handle.metadata.runner",
            )
        return self._runners[name]


def _needed(value: T | None) -> T:
    if value is None:
        raise FailedPrecondition("the aws provider was not initialized")
    return value
