"""The emulator: state, counters, and a server in the event loop of whoever opens it."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from tests.emulators.digitalocean.account import Account
from tests.emulators.digitalocean.conformance import warm
from tests.emulators.digitalocean.deviations import deviation_of
from tests.emulators.digitalocean.faults import FaultBook
from tests.emulators.digitalocean.knobs import Knobs
from tests.emulators.digitalocean.registry import HOSTS, PREFIX
from tests.emulators.digitalocean.service import Service
from tests.emulators.digitalocean.tls import authority

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tests.emulators.digitalocean.account import App


class Emulator:
    """App Platform on a port of this machine: ``async with Emulator() as there: ... there.url``.

    Attributes:
        url: Where it listens, once it does; ``https``.
        ca_file: What makes a client trust it.
        violations: Where requests and answers differ from the definition, other rules that
            were broken, and failures of the emulator. A test asserts that there is none.
        deviations: How often each known difference was met, by its name.
        calls: How often each operation was called; refused calls count.
        requests: The last ones that were carried out.
        account: Apps and runs.
        faults: How often each fault has been.
    """

    def __init__(self, knobs: Knobs | None = None, *, host: str = "127.0.0.1", port: int = 0):
        self.url = ""
        self.ca_file = str(authority()[1])
        self.violations: list[str] = []
        self.deviations: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.faults = FaultBook()
        self._knobs = knobs or Knobs()
        self.requests: deque[dict[str, Any]] = deque(maxlen=self._knobs.remember_requests)
        self.account = Account(lambda: self._knobs, self.violations)
        self.faults.forget(self._knobs)
        self._address = host, port
        self._runner: web.ServerRunner | None = None

    @property
    def knobs(self) -> Knobs:
        """As they are now."""
        return self._knobs

    @property
    def apps(self) -> dict[str, App]:
        """Apps by id."""
        return self.account.apps

    @property
    def registries(self) -> dict[str, str]:
        """Addresses of registries, by their hosts, as ``registry_mirrors`` takes them."""
        return {host: f"{self.url}{PREFIX}{host}" for host in HOSTS.values()}

    def change(self, **changes: Any) -> None:
        """Set knobs while it runs. A fault that stays keeps its count."""
        self._knobs = self._knobs.changed(changes)
        self.faults.forget(self._knobs)

    async def reset(self, **knobs: Any) -> None:
        """Forget everything, for the next test: the account is as these knobs say."""
        await self.account.close()
        for held in (self.violations, self.deviations, self.calls, self.requests):
            held.clear()
        self._knobs, self.faults = Knobs().changed(knobs), FaultBook()
        self.account = Account(lambda: self._knobs, self.violations)
        self.faults.forget(self._knobs)

    def complain(self, found: Sequence[str]) -> list[str]:
        """Count known deviations, remember the rest as violations, and give those."""
        wrong = []
        for one in found:
            if name := deviation_of(one):
                self.deviations[name] += 1
            else:
                wrong.append(one)
        self.violations += wrong
        return wrong

    def told(self) -> list[dict[str, Any]]:
        """Every app with the phases of its deployments and the ends of its runs."""
        return [
            {
                "id": app.id,
                "name": app.name,
                "deployments": [
                    {
                        "id": one.id,
                        "slot": one.slot,
                        "phases": one.phases,
                        "runs": {run.name: run.status for run in one.runs.values()},
                    }
                    for one in app.deployments
                ],
            }
            for app in self.apps.values()
        ]

    async def __aenter__(self) -> Self:
        if self._knobs.check:
            warm()
        server = web.Server(Service(self).handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        host, port = self._address
        context = authority()[0]
        await web.TCPSite(self._runner, host, port, backlog=2048, ssl_context=context).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"https://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.account.close()
        if self._runner is not None:
            await self._runner.cleanup()
