"""Jobs of one provider: launch them, come back to them, list them, clear them away."""

from __future__ import annotations

import asyncio
import logging
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, TypeVar

from dayfly.contract.errors import DayflyError, FailedPrecondition, NotServed
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import JobState
from dayfly.jobs.engine import make_engine
from dayfly.jobs.job import Job
from dayfly.jobs.launch import Launch, check, leaves_open
from dayfly.jobs.ledger import Ledger
from dayfly.jobs.provider import provider_of
from dayfly.jobs.retry import retried
from dayfly.jobs.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType

    from dayfly.contract.jobs import JobHandle, JobSpec, Progress, Submitted
    from dayfly.contract.provider import Check, Description, JobPlan, Leftover, ListedJob
    from dayfly.contract.services import Services
    from dayfly.jobs.engine import Engine
    from dayfly.jobs.entries import JournalEntry
    from dayfly.jobs.journal import Journal
    from dayfly.jobs.launch import Checked

T = TypeVar("T")

_log = logging.getLogger("dayfly.jobs")


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
        if (
            known is not None
            and known.handle
            and (known.launched or await self._visible([(key, known.handle)]))
        ):
            return self._again(engine, checked, known, known.handle, detached=detached)
        launch = Launch(engine, checked.submission)
        launching = asyncio.create_task(launch.run(report or _unheard, cut_short=known is not None))
        try:
            submitted = await asyncio.shield(launching)
        except asyncio.CancelledError:
            calling_off = self._call_off(engine, launch, launching, detached=detached, keep=keep)
            name = checked.spec.name
            await engine.see_through(calling_off, f"{name} may have been started, and still run")
            raise
        return self._job(engine, checked, submitted, detached=detached)

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
        seen = [] if dry_run else await self._visible(await self._ledger.present())
        leftovers = await self._ask(
            lambda: inventory.prune(dry_run=dry_run, older_than_seconds=older_than_seconds),
            "to remove what ended jobs left",
        )
        if leftovers and seen:
            left = await self._visible(seen)
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
            if handle is not None or not await self._may_be_hidden(entry):
                await self._ledger.found(entry.key, handle)

    async def _may_be_hidden(self, entry: JournalEntry) -> bool:
        """It may have been launched so late that it cannot be seen yet, or have been forgotten."""
        description = (await self._engine()).description
        grace, remembers = description.visibility_grace_seconds, description.remembers_seconds
        age = (datetime.now(UTC) - entry.created).total_seconds()
        new = grace > 0 and age < self._timing.launch_deadline + grace
        return new or 0 < remembers <= age

    async def _visible(
        self, jobs: Sequence[tuple[str, JobHandle]]
    ) -> Sequence[tuple[str, JobHandle]]:
        """Those, by key and handle, of which the provider has a record, or may have one.

        One without may be too new to be seen, or forgotten while its output is still there.
        """
        engine = await self._engine()
        size = engine.description.statuses_per_call
        visible = []
        for begin in range(0, len(jobs), size):
            batch = jobs[begin : begin + size]
            statuses = await engine.looks.many([handle for _, handle in batch])
            for job, status in zip(batch, statuses, strict=True):
                if isinstance(status, DayflyError) or status.state is not JobState.UNKNOWN:
                    visible.append(job)
        return visible

    async def _find(self, key: str) -> JobHandle | None:
        return await self._ask(lambda: self._provider.submitter.find(key), f"to find key {key!r}")

    async def _call_off(
        self,
        engine: Engine,
        launch: Launch,
        launching: asyncio.Task[Submitted],
        *,
        detached: bool,
        keep: bool,
    ) -> None:
        """End a launch, and stop and remove what it may have started."""
        await asyncio.wait({launching}, timeout=engine.timing.withdrawal)
        launching.cancel()
        await asyncio.wait({launching})
        if detached:
            return
        if launching.cancelled() or leaves_open(launching.exception()):
            handle = await launch.find()
        elif launching.exception() is None:
            submitted = launching.result()
            # Whoever launched it before has a use for its output.
            handle, keep = submitted.handle, keep or submitted.adopted
        else:
            return
        if handle is None:
            return
        job = self.attach(handle, launch.key, launch.name)
        await job.cancel()
        if not keep:
            await _remove(job)

    def _job(
        self, engine: Engine, checked: Checked, submitted: Submitted, *, detached: bool
    ) -> Job:
        spec = checked.spec
        job = Job(
            self._engine,
            submitted.handle,
            key=checked.submission.key,
            name=spec.name,
            adopted=submitted.adopted,
            notes=submitted.notes,
            detached=detached,
            grace_seconds=spec.grace_period_seconds,
        )
        job.recall(None, removed=False)
        if checked.deadline_seconds is not None:
            job.limit(engine, checked.deadline_seconds, checked.deadline_seconds)
        job.launch_again(engine, checked.submission)
        if not detached:
            engine.owned[job.handle.id] = job
        return job

    def _again(
        self,
        engine: Engine,
        checked: Checked,
        known: JournalEntry,
        handle: JobHandle,
        *,
        detached: bool,
    ) -> Job:
        """The job that the key has, as the journal knows it. The provider is not asked."""
        spec, removed = checked.spec, known.deleted is not None
        gone = (f"{spec.name} ended and was removed before; its output is gone",)
        job = Job(
            self._engine,
            handle,
            key=known.key,
            name=spec.name,
            adopted=True,
            notes=gone if removed else (),
            detached=detached,
            grace_seconds=spec.grace_period_seconds,
        )
        job.recall(known.end, removed=removed)
        if known.end is None:
            job.launch_again(engine, checked.submission)
            if checked.deadline_seconds is not None:
                since = known.launched or known.created
                gone_by = (datetime.now(UTC) - since).total_seconds()
                job.limit(engine, checked.deadline_seconds - gone_by, checked.deadline_seconds)
            if not detached:
                engine.owned[handle.id] = job
        return job

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


async def _remove(job: Job) -> None:
    """Remove a stopped job; whoever called its launch off hears of nothing but the log."""
    try:
        await job.delete()
    except NotServed:
        pass  # Nobody can do anything about it, after each run.
    except DayflyError as error:
        _log.warning("%s was stopped, and what it left is still there: %s", job.name, error.message)


def _unheard(progress: Progress) -> None:
    """Nobody watches this launch."""
