"""The plugin's process. botocore is imported once the host may dial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.providers.aws.canceler import Canceler
from dayfly.providers.aws.inventory import Inventory
from dayfly.providers.aws.observer import Observer
from dayfly.providers.aws.regions import Regions
from dayfly.providers.aws.runner import Submitter
from dayfly.providers.aws.session import Session
from dayfly.sdk import Plugin, serve
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping


async def _initialize(session: Session, document: Mapping[str, object]) -> None:
    from dayfly.providers.aws.config import read_config  # noqa: PLC0415 - after the handshake

    await session.configure(read_config(document))


def main() -> None:
    """Serve until the host says stop."""
    session = Session()
    serve(
        Plugin(
            name="aws",
            version=__version__,
            author="The dayfly authors",
            description="Runs an image as a task on Amazon ECS or as a job on AWS Batch.",
            initialize=lambda document: _initialize(session, document),
            close=session.close,
            canceler=Canceler(session),
            submitter=Submitter(session),
            observer=Observer(session),
            inventory=Inventory(session),
            regions=Regions(session),
        )
    )


if __name__ == "__main__":
    main()
