"""What this room needs of a provider, whichever services it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dayfly.contract.errors import NotServed

if TYPE_CHECKING:
    from dayfly.contract.services import (
        JobCanceler,
        JobEventSource,
        JobInventory,
        JobObserver,
        JobSubmitter,
        Services,
    )

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider's capabilities; one that it lacks is refused by name when it is needed.

    Attributes:
        name: Name of the configuration, for messages and the journal.
        idempotent: The same key is the same job, however often it is submitted.
        events: None where it cannot tell of changes.
    """

    name: str
    idempotent: bool
    events: JobEventSource | None
    _submitter: JobSubmitter | None
    _observer: JobObserver | None
    _canceler: JobCanceler | None
    _inventory: JobInventory | None

    @property
    def submitter(self) -> JobSubmitter:
        """Raises NotServed where it launches no jobs; the others are alike."""
        return self._need(self._submitter, "launch jobs")

    @property
    def observer(self) -> JobObserver:
        """Looks at jobs."""
        return self._need(self._observer, "look at jobs")

    @property
    def canceler(self) -> JobCanceler:
        """Stops jobs."""
        return self._need(self._canceler, "stop jobs")

    @property
    def inventory(self) -> JobInventory:
        """Lists and removes jobs."""
        return self._need(self._inventory, "list or remove jobs")

    @property
    def launches(self) -> bool:
        """It can launch jobs."""
        return self._submitter is not None

    @property
    def cancels(self) -> bool:
        """It can stop jobs."""
        return self._canceler is not None

    def _need(self, capability: T | None, what: str) -> T:
        if capability is None:
            raise NotServed(
                f"provider {self.name!r} cannot {what}: its plugin does not serve that",
                advice=f"`dayfly describe --on {self.name}` shows what it can do.",
            )
        return capability


def provider_of(services: Services, name: str) -> Provider:
    """The view of a plugin's services; the classic ones stand in where ours are absent."""
    submitter, observer = services.submitter, services.observer
    if services.runner is not None and not (submitter and observer):
        # Only a plugin that lacks one of our services pays for this import.
        from dayfly.jobs.classic import ClassicObserver, ClassicSubmitter  # noqa: PLC0415

        observer = observer or ClassicObserver(services.runner)
        submitter = submitter or ClassicSubmitter(services.runner, name)
    return Provider(
        name=name,
        idempotent=services.submitter is not None,
        events=services.events,
        _submitter=submitter,
        _observer=observer,
        _canceler=services.canceler,
        _inventory=services.inventory,
    )
