"""What every capability shares: the settings, the API, and what was learned on the way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from dayfly.contract.errors import FailedPrecondition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.providers.digitalocean.apps import Apps
    from dayfly.providers.digitalocean.client import AppPlatform
    from dayfly.providers.digitalocean.config import Config
    from dayfly.providers.digitalocean.logs.reader import LogReader
    from dayfly.providers.digitalocean.registries import Registries
    from dayfly.providers.digitalocean.turns import Turns
    from dayfly.providers.digitalocean.witnesses import Witnesses
    from dayfly.sdk.secrets import SecretResolver

T = TypeVar("T")


class Session:
    """One configuration at work."""

    def __init__(self) -> None:
        self._config: Config | None = None
        self._api: AppPlatform | None = None
        self._apps: Apps | None = None
        self._secrets: SecretResolver | None = None
        self._registries: Registries | None = None
        self._witnesses: Witnesses | None = None
        self._logs: LogReader | None = None
        self._turns: Turns | None = None

    async def configure(self, config: Config) -> None:
        """Take the settings, also again; DigitalOcean is not asked yet."""
        # Imported now: the host has dialled already, and waits for no import.
        from dayfly.providers.digitalocean.apps import Apps  # noqa: PLC0415
        from dayfly.providers.digitalocean.client import AppPlatform  # noqa: PLC0415
        from dayfly.providers.digitalocean.credentials import find_token  # noqa: PLC0415
        from dayfly.providers.digitalocean.logs.reader import LogReader  # noqa: PLC0415
        from dayfly.providers.digitalocean.registries import Registries  # noqa: PLC0415
        from dayfly.providers.digitalocean.turns import Turns  # noqa: PLC0415
        from dayfly.providers.digitalocean.witnesses import Witnesses  # noqa: PLC0415
        from dayfly.sdk.secrets import SecretResolver  # noqa: PLC0415

        await self.close()
        secrets = SecretResolver(config.secrets)
        api = AppPlatform(config, lambda: find_token(config, os.environ, secrets))
        self._config, self._api, self._secrets = config, api, secrets
        self._apps = Apps(api)
        self._registries = Registries(api, config.registry_mirrors)
        self._witnesses = Witnesses(self._apps)
        self._logs = LogReader(api, self._witnesses, config.log_drain_seconds)
        self._turns = Turns()

    async def close(self) -> None:
        """Let go of every connection."""
        if self._api is not None:
            await self._api.close()
            self._api = None

    @property
    def config(self) -> Config:
        """The settings."""
        return _needed(self._config)

    @property
    def api(self) -> AppPlatform:
        """Requests to DigitalOcean's API."""
        return _needed(self._api)

    @property
    def apps(self) -> Apps:
        """The calls that are made of it."""
        return _needed(self._apps)

    @property
    def registries(self) -> Registries:
        """Resolves tags."""
        return _needed(self._registries)

    @property
    def witnesses(self) -> Witnesses:
        """Says how a job stands."""
        return _needed(self._witnesses)

    @property
    def logs(self) -> LogReader:
        """Reads output."""
        return _needed(self._logs)

    @property
    def turns(self) -> Turns:
        """One change of another's app at a time."""
        return _needed(self._turns)

    @property
    def secret_forms(self) -> tuple[str, ...]:
        """Forms of secret reference that are taken."""
        return (*self._secrets.forms, "${component.VARIABLE}") if self._secrets else ()

    def check_secrets(self, references: Mapping[str, str]) -> None:
        """Refuse references that can never be resolved, without resolving any."""
        _needed(self._secrets).check(references)

    async def resolve(self, references: Mapping[str, str]) -> dict[str, str]:
        """Variable names to secret values, for DigitalOcean only."""
        return await _needed(self._secrets).resolve(references) if references else {}


def _needed(value: T | None) -> T:
    if value is None:
        raise FailedPrecondition("the digitalocean provider was not initialized")
    return value
