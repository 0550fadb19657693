"""Jobs of one provider: launch them, come back to them, list them, clear them away."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Self, TypeVar

from dayfly.contract.errors import FailedPrecondition, NotServed
from dayfly.contract.identity import intent_digest
from dayfly.jobs.calling_off import call_off
from dayfly.jobs.engine import make_engine
from dayfly.jobs.job import Job
from dayfly.jobs.launch import Launch, check
from dayfly.jobs.launched import Launched
from dayfly.jobs.ledger import Ledger
from dayfly.jobs.provider import provider_of
from dayfly.jobs.retry import retried
from dayfly.jobs.timing import Timing
from dayfly.jobs.visible import may_be_hidden, visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

    from dayfly.contract.jobs import JobHandle, JobSpec, Progress
    from dayfly.contract.provider import Check, Description, JobPlan, Leftover, ListedJob
    from dayfly.contract.services import Services
    from dayfly.jobs.engine import Engine
    from dayfly.jobs.journal import Journal

T = TypeVar("T")


class Jobs:
    """Everything that is done with jobs, over whatever a plugin serves.

    To be entered with ``async with``. Leaving it stops the watching, not the jobs; when
    the task that is in it is cancelled, the jobs that it launched are stopped first,
    unless they are detached.
    """

    def __init__(
        self,
        services: Services,
        *,
        provider: str,
        journal: Journal | None = None,
        timing: Timing | None = None,
    ) -> None:
        """Take a provider's services.

        Args:
            services: A plugin's, or those of an object in this process.
            provider: Name of the configuration, for messages and the journal.
            journal: Where launches are written down; None gives up crash safety.
            timing: Pauses and bounds.
        """
        self._provider = provider_of(services, provider)
        self._ledger = Ledger(provider, journal)
        self._timing = timing or Timing()
        self._lock = asyncio.Lock()
        self._made: Engine | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if (engine := self._made) is None:
            return
        try:
            if kind is not None and issubclass(kind, asyncio.CancelledError):
                await engine.stop_owned()
        finally:
            await engine.close()

    @property
    def description(self) -> Description:
        """What the provider said of itself.

        Raises:
            FailedPrecondition: It was not asked yet.
        """
        if self._made is None:
            raise FailedPrecondition("the provider was not asked yet; await describe() first")
        return self._made.description

    async def describe(self) -> Description:
        """What the provider can honour, and its pace. Asked once.

        Raises:
            DayflyError: It cannot be asked.
        """
        return (await self._engine()).description

    async def launch(
        self,
        spec: JobSpec,
        key: str | None = None,
        *,
        follow: bool = False,
        detached: bool = False,
        keep: bool = False,
        report: Callable[[Progress], None] | None = None,
    ) -> Job:
        """Launch a job, or come back to the one that the key has.

        Cancelled before it returns, it stops the job, and removes it unless it is seen to have
        been launched before: nobody else has it.

        Args:
            spec: The job; without a name it gets one from its command or image.
            key: Idempotency key: the same key is the same job. None is a random one.
            follow: The output is read from its first byte, at once.
            detached: The job goes on when the caller's task is cancelled.
            keep: A job that is stopped because its launch was cancelled stays, ended.
            report: Told how the launch comes along.

        Raises:
            InvalidField: A field is wrong, or the provider cannot carry it out.
            AlreadyExists: The key belongs to another job.
            DayflyError: The launch failed; ``reason`` says why where that is known.
        """
        engine = await self._engine()
        key = secrets.token_hex(16) if key is None else key
        checked = check(
            spec, key, engine.description, engine.provider, follow=follow, detached=detached
        )
        known = await engine.ledger.intend(
            plugin=engine.description.provider,
            key=key,
            name=checked.spec.name,
            digest=intent_digest(checked.spec),
        )
        launched = Launched(self._engine, engine)
        if (
            known is not None
            and known.handle
            and (known.launched or await visible(engine, [(key, known.handle)]))
        ):
            return launched.known(checked, known, known.handle, detached=detached)
        launch = Launch(engine, checked.submission)
        launching = asyncio.create_task(launch.run(report or _unheard, cut_short=known is not None))
        try:
            submitted = await asyncio.shield(launching)
        except asyncio.CancelledError:
            calling_off = call_off(
                launch,
                launching,
                self.attach,
                patience_seconds=engine.timing.withdrawal,
                detached=detached,
                keep=keep,
            )
            name = checked.spec.name
            await engine.see_through(calling_off, f"{name} may have been started, and still run")
            raise
        return launched.new(checked, submitted, detached=detached)

    async def plan(self, spec: JobSpec, key: str | None = None) -> JobPlan:
        """The requests that a launch would send. Nothing is created, or written down.

        Raises:
            InvalidField: As ``launch`` would.
            DayflyError: The provider could not be asked.
        """
        engine = await self._engine()
        checked = check(spec, key or secrets.token_hex(16), engine.description, engine.provider)
        return await self._ask(
            lambda: engine.provider.submitter.plan(checked.submission), "to plan a job"
        )

    async def check(self) -> Sequence[Check]:
        """Look at what a launch depends on.

        Raises:
            DayflyError: The provider could not be asked.
        """
        return await self._provider.submitter.check()

    async def list(self) -> Sequence[ListedJob]:
        """Every job that the provider knows as one of dayfly's.

        Raises:
            NotServed: The plugin cannot list jobs.
            DayflyError: The provider could not be asked.
        """
        return await self._ask(self._provider.inventory.list_jobs, "to list jobs")

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove what ended runs left, or only say what would go.

        Raises:
            NotServed: The plugin cannot remove jobs.
            DayflyError: The provider could not be asked.
        """
        inventory = self._provider.inventory
        present = [] if dry_run else await self._ledger.present()
        seen = await visible(await self._engine(), present) if present else []
        leftovers = await self._ask(
            lambda: inventory.prune(dry_run=dry_run, older_than_seconds=older_than_seconds),
            "to remove what ended jobs left",
        )
        if leftovers and seen:
            left = await visible(await self._engine(), seen)
            for key in dict(seen).keys() - dict(left).keys():
                await self._ledger.deleted(key)
        return leftovers

    def attach(self, handle: JobHandle, key: str = "", name: str = "") -> Job:
        """A job that somebody launched, from its handle alone. It is detached.

        Args:
            handle: From a token, a list, or the journal.
            key: Its key, where it is known; the journal is kept up by it.
            name: What to call it.
        """
        return Job(self._engine, handle, key=key, name=name or handle.name or handle.id)

    async def recover(self) -> None:
        """Look up every launch of this journal whose answer nobody saw.

        A job that is found is written down with its handle; one that is not is marked as
        never launched. A plugin that knows no keys leaves it open, and so does one that may
        not show this one yet, or no more.

        Raises:
            DayflyError: The provider could not be asked.
        """
        for entry in await self._ledger.unanswered():
            try:
                handle = await self._find(entry.key)
            except NotServed:
                return
            if handle is not None or not may_be_hidden(await self._engine(), entry):
                await self._ledger.found(entry.key, handle)

    async def _find(self, key: str) -> JobHandle | None:
        return await self._ask(lambda: self._provider.submitter.find(key), f"to find key {key!r}")

    async def _ask(self, call: Callable[[], Awaitable[T]], tried: str) -> T:
        return await retried(
            call,
            tried=f"{tried} on {self._provider.name!r}",
            timing=self._timing,
            deadline=self._timing.cancel_deadline,
        )

    async def _engine(self) -> Engine:
        if self._made is not None:
            return self._made
        async with self._lock:
            if self._made is None:
                self._made = await make_engine(self._provider, self._ledger, self._timing)
        return self._made


def _unheard(progress: Progress) -> None:
    """Nobody watches this launch."""
