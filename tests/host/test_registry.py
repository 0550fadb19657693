"""One process per configuration, and a new one after a death."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from dayfly.contract.errors import ProviderFailed
from dayfly.host import PluginRegistry
from dayfly.host.config import parse_config

TWO = {"providers": {"one": {"plugin": "raw"}, "two": {"plugin": "raw"}}, "default": "one"}


async def test_one_configuration_is_one_process_whoever_asks(raw):
    raw("environment")
    async with PluginRegistry(parse_config(TWO)) as registry:
        one, again, default, two = await asyncio.gather(
            *(registry.plugin(name) for name in ("one", "one", "", "two"))
        )
        assert one is again is default
        assert one is not two
        assert one.pid != two.pid


async def test_a_dead_plugin_is_replaced(raw):
    raw()
    async with PluginRegistry(parse_config(TWO)) as registry:
        first = await registry.plugin("one")
        os.kill(first.pid, signal.SIGKILL)
        with pytest.raises(ProviderFailed, match="SIGKILL"):
            await first.services.submitter.describe()
        second = await registry.plugin("one")
        assert second.pid != first.pid
        assert (await second.services.submitter.describe()).provider == "raw"
