"""What jobs need of a provider: one shape, whether it serves dayfly.v1 or the classic calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dayfly.contract.errors import NotServed
from dayfly.jobs.classic import ClassicObserver, ClassicSubmitter

if TYPE_CHECKING:
    from dayfly.contract.services import (
        JobCanceler,
        JobEventSource,
        JobInventory,
        JobObserver,
        JobSubmitter,
        Services,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider that can run jobs.

    Attributes:
        name: The configuration's name.
        submitter: Launches.
        observer: Looks and reads.
        canceler: Stops; None where the plugin cannot.
        events: Tells of changes; None where the plugin cannot.
        inventory: Lists and removes; None where the plugin cannot.
        knows_keys: A second submission of a key is the same job.
    """

    name: str
    submitter: JobSubmitter
    observer: JobObserver
    canceler: JobCanceler | None = None
    events: JobEventSource | None = None
    inventory: JobInventory | None = None
    knows_keys: bool = True


def provider_of(services: Services, name: str) -> Provider:
    """The view of a plugin's services that jobs need.

    Raises:
        NotServed: The plugin runs no jobs.
    """
    submitter, observer, knows_keys = services.submitter, services.observer, True
    if submitter is None or observer is None:
        if services.runner is None:
            raise NotServed(
                f"provider {name!r} runs no jobs: its plugin serves neither dayfly.v1 Submit and "
                "Observe nor IaCProviderRunner",
                advice="Use another provider, or a newer version of this plugin.",
            )
        submitter = ClassicSubmitter(services.runner, name)
        observer = ClassicObserver(services.runner)
        knows_keys = False
    return Provider(
        name=name,
        submitter=submitter,
        observer=observer,
        canceler=services.canceler,
        events=services.events,
        inventory=services.inventory,
        knows_keys=knows_keys,
    )
