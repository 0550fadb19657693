"""What a plugin is: a name, a version, and the capabilities that it has."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField
from dayfly.contract.services import Services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dayfly.contract.services import (
        JobCanceler,
        JobEventSource,
        JobInventory,
        JobObserver,
        JobRunner,
        JobSubmitter,
        LogCapturer,
        RegionLister,
    )

_NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A provider, as it is served. A capability that is None is neither served nor announced.

    Attributes:
        name: As in plugin.json: lower case letters, digits and inner hyphens.
        version: ``X.Y.Z``, nothing more; hosts compare it.
        initialize: Takes the configuration, a JSON object. It may come more than once and
            then replaces the former one; raises InvalidField, naming the key in ``field``.
        close: Lets go of what ``initialize`` opened; has 5 seconds.
        author: Who made it.
        description: What it does, in a sentence.
        runner: The classic service. Left None beside a submitter and an observer, it is
            served through them.
        canceler: Stops jobs.
        submitter: Launches jobs, once per key.
        observer: Reads states and output.
        events: Says which jobs changed.
        inventory: Lists and removes what is there.
        regions: Lists regions.
        log_capture: Captures the logs of resources that are not jobs.

    Raises:
        InvalidField: ``name`` or ``version`` has another form.
    """

    name: str
    version: str
    initialize: Callable[[Mapping[str, object]], Awaitable[None]]
    close: Callable[[], Awaitable[None]] | None = None
    author: str = ""
    description: str = ""
    runner: JobRunner | None = None
    canceler: JobCanceler | None = None
    submitter: JobSubmitter | None = None
    observer: JobObserver | None = None
    events: JobEventSource | None = None
    inventory: JobInventory | None = None
    regions: RegionLister | None = None
    log_capture: LogCapturer | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidField(
                f"the plugin's name is {self.name!r}; allowed: lower case letters, digits and "
                "inner hyphens, two at least",
                field="name",
            )
        if not _VERSION.fullmatch(self.version):
            raise InvalidField(
                f"the plugin's version is {self.version!r}; allowed: X.Y.Z in digits",
                field="version",
            )

    @property
    def services(self) -> Services:
        """The capabilities alone, as given."""
        return Services(**{item.name: getattr(self, item.name) for item in fields(Services)})
