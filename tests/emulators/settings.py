"""What a test may set of any emulator, also while it runs, and from another process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tests.emulators.fault import Fault
from tests.emulators.rates import to_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings that every emulator has.

    Attributes:
        latency_seconds: Each call takes that long at least.
        remember_requests: How many of the last requests ``emulator.requests`` keeps.
    """

    FAULT: ClassVar[type[Fault]] = Fault

    latency_seconds: float = 0.0
    remember_requests: int = 1000

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """These settings with others, as they come from JSON or from a test.

        Raises:
            TypeError: There is no such setting.
        """
        known = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        typed = {name: self._typed(name, one, known.get(name)) for name, one in changes.items()}
        return dataclasses.replace(self, **typed)

    def as_json(self) -> dict[str, Any]:
        """What ``changed`` takes."""
        return dataclasses.asdict(self)

    def _typed(self, name: str, value: Any, present: Any) -> Any:
        if name == "rates" and isinstance(present, Mapping):
            return {key: to_rate(one) for key, one in value.items()}
        if name == "rates":
            return tuple(map(to_rate, value))
        if name == "faults":
            return tuple(one if isinstance(one, Fault) else self.FAULT(**one) for one in value)
        return tuple(value) if isinstance(present, tuple) else value
