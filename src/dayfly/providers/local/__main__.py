"""The plugin's process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.providers.local.config import read_config
from dayfly.providers.local.runner import Local
from dayfly.sdk import Plugin, serve
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


def main() -> None:
    """Serve until the host says stop."""
    local = Local(read_config({}))

    async def initialize(document: Mapping[str, object]) -> None:
        local.configure(read_config(document))

    serve(
        Plugin(
            name="local",
            version=__version__,
            author="The dayfly authors",
            description="Runs a command as a supervised process of this machine.",
            initialize=initialize,
            canceler=local,
            submitter=local,
            observer=local,
            events=local,
            inventory=local,
        )
    )


if __name__ == "__main__":
    main()
