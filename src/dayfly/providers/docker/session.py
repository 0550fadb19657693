"""The session with one engine, which every capability of the provider shares."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from dayfly.contract.errors import FailedPrecondition
from dayfly.providers.docker.attached import AttachedStreams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.providers.docker.client import Engine
    from dayfly.providers.docker.config import Config


class SecretSource(Protocol):
    """Turns references into values, in this process."""

    @property
    def forms(self) -> tuple[str, ...]:
        """Forms of reference that are taken."""
        ...

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Variable names to values."""
        ...


class Session:
    """What every capability shares: the engine, the settings, the attached streams."""

    def __init__(self) -> None:
        self.attached = AttachedStreams()
        self._engine: Engine | None = None
        self._config: Config | None = None
        self._secrets: SecretSource | None = None

    async def configure(self, config: Config, secrets: SecretSource) -> None:
        """Take the settings, also again; nothing is sent to the engine yet.

        Raises:
            InvalidField: The engine's address is of no use.
            FailedPrecondition: The docker context or its TLS files are of no use.
        """
        # Imported now: the host has dialled already, and waits for no import.
        from dayfly.providers.docker.client import Engine  # noqa: PLC0415
        from dayfly.providers.docker.contexts import find_endpoint  # noqa: PLC0415

        engine = Engine(find_endpoint(config, os.environ))
        await self.close()
        self._engine, self._config, self._secrets = engine, config, secrets

    async def close(self) -> None:
        """Let go of every connection."""
        await self.attached.close()
        if self._engine is not None:
            await self._engine.close()
            self._engine = None

    @property
    def engine(self) -> Engine:
        """The engine's calls.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        if self._engine is None:
            raise FailedPrecondition("the docker provider was not initialized")
        return self._engine

    @property
    def config(self) -> Config:
        """The settings.

        Raises:
            FailedPrecondition: There was no Initialize.
        """
        if self._config is None:
            raise FailedPrecondition("the docker provider was not initialized")
        return self._config

    @property
    def secret_forms(self) -> tuple[str, ...]:
        """Forms of secret reference that are taken."""
        return self._secrets.forms if self._secrets else ()

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Variable names to secret values, for the engine only."""
        if not references:
            return {}
        if self._secrets is None:
            raise FailedPrecondition("the docker provider was not initialized")
        return await self._secrets.resolve(references)
