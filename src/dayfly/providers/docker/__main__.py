"""The plugin's process. The engine's client is imported once the host may dial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.providers.docker.canceler import Canceler
from dayfly.providers.docker.inventory import Inventory
from dayfly.providers.docker.observer import Observer
from dayfly.providers.docker.runner import Submitter
from dayfly.providers.docker.session import Session
from dayfly.sdk import Plugin, serve
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


async def _initialize(session: Session, document: Mapping[str, object]) -> None:
    from dayfly.providers.docker.config import read_config  # noqa: PLC0415 - after the handshake
    from dayfly.sdk.secrets import SecretResolver  # noqa: PLC0415 - after the handshake

    config = read_config(document)
    await session.configure(config, SecretResolver(config.secrets))


def main() -> None:
    """Serve until the host says stop."""
    session = Session()
    observer = Observer(session)
    serve(
        Plugin(
            name="docker",
            version=__version__,
            author="The dayfly authors",
            description="Runs an image on a Docker Engine.",
            initialize=lambda document: _initialize(session, document),
            close=session.close,
            canceler=Canceler(session),
            submitter=Submitter(session),
            observer=observer,
            events=observer,
            inventory=Inventory(session, observer),
        )
    )


if __name__ == "__main__":
    main()
