"""One process per configuration, shared by all who ask for it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from dayfly.contract.errors import FailedPrecondition
from dayfly.host.connection import connect
from dayfly.host.deadlines import DEFAULTS
from dayfly.host.discovery import find_plugin
from dayfly.host.process import spawn

if TYPE_CHECKING:
    from types import TracebackType

    from dayfly.host.config import Config
    from dayfly.host.connection import PluginConnection
    from dayfly.host.deadlines import Deadlines
    from dayfly.host.process import PluginProcess


class PluginRegistry:
    """Starts each configuration's plugin when it is first asked for, and only once.

    Two configurations never share a process, even of one plugin: the later one's
    credentials would take the place of the earlier one's.
    """

    def __init__(self, config: Config, *, deadlines: Deadlines = DEFAULTS) -> None:
        self._config = config
        self._deadlines = deadlines
        self._stack = AsyncExitStack()
        self._locks: dict[str, asyncio.Lock] = {}
        self._plugins: dict[str, PluginConnection] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._plugins.clear()
        await self._stack.__aexit__(kind, error, trace)

    async def plugin(self, name: str = "") -> PluginConnection:
        """The plugin of a configuration; a new process where the last one has died.

        Args:
            name: A configuration, or a plugin with its defaults; empty is the default.

        Raises:
            NotFound: There is neither a configuration nor a plugin of this name.
            ProviderFailed: The plugin does not start as one does.
            FailedPrecondition: The plugin was started by hand, and has another configuration.
            InvalidField: The plugin refuses its configuration.
        """
        provider = self._config.provider(name)
        async with self._locks.setdefault(provider.name, asyncio.Lock()):
            known = self._plugins.get(provider.name)
            if known is not None and known.alive:
                return known
            process = spawn(find_plugin(provider.plugin), pass_env=provider.pass_env)
            self._refuse_shared(process, provider.name)
            found = await self._stack.enter_async_context(
                connect(process, config=provider.settings, deadlines=self._deadlines)
            )
            self._plugins[provider.name] = found
            return found

    def _refuse_shared(self, process: PluginProcess, name: str) -> None:
        for other, plugin in self._plugins.items():
            if plugin.alive and plugin.pid == process.pid:
                process.close()
                raise FailedPrecondition(
                    f"plugin {process.plugin.name!r} runs already, for configuration {other!r}, "
                    f"and cannot serve {name!r} at the same time",
                    advice="Use one of the two, or leave it out of DAYFLY_REATTACH_PLUGINS.",
                )
