"""The plugin as a host has it: in a process of its own, by its plugin.json."""

from __future__ import annotations

import pytest

from dayfly.contract.errors import InvalidField
from dayfly.host import connect, find_plugin, spawn, verify_manifest

NOBODY = {"endpoint_url": "https://127.0.0.1:9"}


async def test_it_serves_what_its_manifest_says() -> None:
    plugin = find_plugin("digitalocean")
    async with connect(spawn(plugin), config=NOBODY) as loaded:
        assert await verify_manifest(plugin.manifest, loaded) == []
        assert loaded.services.submitter
        description = await loaded.services.submitter.describe()
    assert description.provider == "digitalocean"


async def test_a_refused_setting_is_named_and_its_value_is_not() -> None:
    plugin = find_plugin("digitalocean")
    with pytest.raises(InvalidField) as caught:
        async with connect(spawn(plugin), config={"token": "me:hunter2"}):
            pass
    assert caught.value.field.endswith("token")
    assert "hunter2" not in str(caught.value)
