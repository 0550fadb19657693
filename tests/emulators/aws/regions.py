"""What one region of the account contains."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.aws.ecs.definitions import Family
    from tests.emulators.aws.ecs.tasks import Task
    from tests.emulators.aws.knobs import Fault, Knobs
    from tests.emulators.aws.logs.groups import Group


@dataclass(slots=True)
class Launch:
    """What a clientToken stands for."""

    at: float
    digest: str
    tasks: list[Task]
    failures: list[dict[str, Any]]


@dataclass(slots=True)
class Region:
    """The state of one region.

    Attributes:
        name: The region's.
        settings: Reads the knobs as they are now.
        families: Task definitions by family.
        tasks: By (cluster, id), oldest first.
        launches: By (cluster, clientToken).
        groups: Log groups by name.
        cluster_tags: By cluster.
        faults: Those of the call that is being carried out.
        pages: Pages of GetLogEvents that had lines, counted.
    """

    name: str
    settings: Callable[[], Knobs]
    families: dict[str, Family] = field(default_factory=dict)
    tasks: OrderedDict[tuple[str, str], Task] = field(default_factory=OrderedDict)
    launches: dict[tuple[str, str], Launch] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    cluster_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    pages: int = 0

    @property
    def knobs(self) -> Knobs:
        """As they are now."""
        return self.settings()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.knobs.ahead_seconds

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something here."""
        return f"arn:aws:{service}:{self.name}:{self.knobs.account}:{resource}"
