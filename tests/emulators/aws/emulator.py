"""The emulator: state, counters, and a server in the event loop of whoever opens it."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from tests.emulators.aws.faults import FaultBook
from tests.emulators.aws.knobs import Knobs
from tests.emulators.aws.regions import Region
from tests.emulators.aws.service import Service

if TYPE_CHECKING:
    from types import TracebackType


class Emulator:
    """AWS on a port of this machine: ``async with Emulator() as aws: ... aws.url``.

    Attributes:
        url: Where it listens, once it does.
        violations: Rules that requests broke, and answers that do not fit their model. A test
            asserts that there is none.
        calls: How often each operation was called, by ``ecs.RunTask``; refused calls count.
        requests: The last ones, as (name, members).
        regions: State by region's name.
        faults: How often each fault has been.
    """

    def __init__(self, knobs: Knobs | None = None, *, host: str = "127.0.0.1", port: int = 0):
        self.url = ""
        self.violations: list[str] = []
        self.calls: Counter[str] = Counter()
        self.regions: dict[str, Region] = {}
        self.faults = FaultBook()
        self._knobs = knobs or Knobs()
        self.requests: deque[tuple[str, dict[str, Any]]] = deque(
            maxlen=self._knobs.remember_requests
        )
        self.faults.forget(self._knobs)
        self._address = host, port
        self._runner: web.ServerRunner | None = None

    @property
    def knobs(self) -> Knobs:
        """As they are now."""
        return self._knobs

    def change(self, **changes: Any) -> None:
        """Set knobs while it runs. A fault that stays keeps its count."""
        self._knobs = self._knobs.changed(changes)
        self.faults.forget(self._knobs)

    def reset(self, **knobs: Any) -> None:
        """Forget everything, for the next test: the account is as these knobs say."""
        for held in (self.regions, self.calls, self.violations, self.requests):
            held.clear()
        self._knobs, self.faults = Knobs().changed(knobs), FaultBook()
        self.faults.forget(self._knobs)

    def region(self, name: str) -> Region:
        """A region's state."""
        if name not in self.regions:
            self.regions[name] = Region(name, lambda: self._knobs)
        return self.regions[name]

    def tasks(self) -> list[dict[str, Any]]:
        """Every task that is known, with the moments of its life."""
        return [
            task.moments() for region in self.regions.values() for task in region.tasks.values()
        ]

    async def __aenter__(self) -> Self:
        server = web.Server(Service(self).handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        host, port = self._address
        await web.TCPSite(self._runner, host, port, backlog=2048).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
