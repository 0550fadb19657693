"""A plugin of the SDK's, to be started by hand; it counts how often it was configured."""

from __future__ import annotations

from dayfly.contract.provider import Region
from dayfly.sdk import Plugin, serve

CONFIGS = []


async def initialize(config):
    CONFIGS.append(dict(config))
    print(f"configured {len(CONFIGS)}", flush=True)


class Regions:
    async def list_regions(self, env_name):
        return [Region(name=str(len(CONFIGS)), display_name=str(CONFIGS[-1]))]


if __name__ == "__main__":
    serve(Plugin(name="raw", version="1.2.3", initialize=initialize, regions=Regions()))
