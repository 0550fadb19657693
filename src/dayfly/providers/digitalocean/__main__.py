"""The plugin's process. The HTTP client is imported once the host may dial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.providers.digitalocean.canceler import Canceler
from dayfly.providers.digitalocean.inventory import Inventory
from dayfly.providers.digitalocean.observer import Observer
from dayfly.providers.digitalocean.regions import Regions
from dayfly.providers.digitalocean.runner import Submitter
from dayfly.providers.digitalocean.session import Session
from dayfly.sdk import Plugin, serve
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


async def _initialize(session: Session, document: Mapping[str, object]) -> None:
    from dayfly.providers.digitalocean.config import read_config  # noqa: PLC0415 - after the handshake

    await session.configure(read_config(document))


def main() -> None:
    """Serve until the host says stop."""
    session = Session()
    observer = Observer(session)
    serve(
        Plugin(
            name="digitalocean",
            version=__version__,
            author="The dayfly authors",
            description="Runs an image as a deploy-time job of DigitalOcean's App Platform.",
            initialize=lambda document: _initialize(session, document),
            close=session.close,
            canceler=Canceler(session),
            submitter=Submitter(session),
            observer=observer,
            inventory=Inventory(session, observer),
            regions=Regions(session),
        )
    )


if __name__ == "__main__":
    main()
