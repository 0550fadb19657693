"""What a plugin is: a name, a configuration, and the capabilities it has."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from dayfly.contract.services import (
    JobCanceler,
    JobEventSource,
    JobInventory,
    JobObserver,
    JobRunner,
    JobSubmitter,
    LogCapturer,
    RegionLister,
    Services,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A provider, ready to be served. A capability left None is neither served nor announced.

    Attributes:
        name: As in plugin.json.
        version: Plain ``X.Y.Z``; a Go host takes nothing else.
        author: Who made it.
        description: One line.
        initialize: Takes the configuration. It may come more than once, and after calls
            that need none; raises InvalidField with the field's name.
        close: Called once, when the plugin stops.
    """

    name: str
    version: str
    author: str = ""
    description: str = ""
    initialize: Callable[[Mapping[str, object]], Awaitable[None]]
    close: Callable[[], Awaitable[None]] | None = None
    runner: JobRunner | None = None
    canceler: JobCanceler | None = None
    submitter: JobSubmitter | None = None
    observer: JobObserver | None = None
    events: JobEventSource | None = None
    inventory: JobInventory | None = None
    regions: RegionLister | None = None
    log_capture: LogCapturer | None = None

    @property
    def services(self) -> Services:
        """The capabilities alone, as ``jobs`` and the tests take them."""
        return Services(**{item.name: getattr(self, item.name) for item in fields(Services)})
