"""All jobs of one provider."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from dayfly.contract.errors import FailedPrecondition, NotServed
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import JobState, JobStatus, Reason
from dayfly.jobs.job import Job
from dayfly.jobs.launch import Launcher, prepare
from dayfly.jobs.ledger import Ledger
from dayfly.jobs.provider import provider_of
from dayfly.jobs.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from dayfly.contract.jobs import JobHandle, JobSpec, Progress, Submitted
    from dayfly.contract.provider import Check, Description, JobPlan, Leftover, ListedJob
    from dayfly.contract.services import JobInventory, Services
    from dayfly.jobs.journal import Journal, JournalEntry
    from dayfly.jobs.launch import Intent


class Jobs:
    """Launches jobs over a provider's services, and finds them again.

    The services may be a plugin's clients or objects of this process; it cannot tell.
    """

    def __init__(
        self, services: Services, *, provider: str, journal: Journal | None = None
    ) -> None:
        self._provider = provider_of(services, provider)
        self._ledger = Ledger(provider, journal)
        self._launcher = Launcher(self._provider, self._ledger)
        self._description: Description | None = None
        self._watch: Watch | None = None
        self._deadlines: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._description = await self._provider.submitter.describe()
        self._watch = Watch(self._provider, self._description)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._deadlines:
            task.cancel()
        await asyncio.gather(*self._deadlines, return_exceptions=True)
        if self._watch is not None:
            await self._watch.close()

    @property
    def description(self) -> Description:
        """What the provider can honour.

        Raises:
            FailedPrecondition: This is not entered.
        """
        if self._description is None:
            raise FailedPrecondition("Jobs is used before it is entered with `async with`")
        return self._description

    async def describe(self) -> Description:
        """What the provider can honour."""
        return self.description

    async def check(self) -> Sequence[Check]:
        """Look at what a launch depends on."""
        return await self._provider.submitter.check()

    async def plan(self, spec: JobSpec, key: str | None = None) -> JobPlan:
        """What a launch would send. Nothing is created or written down."""
        intent = self._prepared(spec, key)
        return await self._provider.submitter.plan(intent.submission)

    async def launch(
        self,
        spec: JobSpec,
        *,
        key: str | None = None,
        follow: bool = False,
        detached: bool = False,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> Job:
        """Launch a job, once per key.

        Cancelling the caller stops what was launched, unless it is detached.

        Args:
            spec: The job.
            key: Idempotency key; None is a random one.
            follow: The caller reads the output from its first byte, at once.
            detached: The job goes on whatever becomes of the caller.
            report: Told how far the launch has come.

        Raises:
            InvalidField: A field is wrong, or cannot be carried out; nothing was created.
            AlreadyExists: The key belongs to another job.
        """
        intent = self._prepared(spec, key, follow=follow, detached=detached)
        submission = intent.submission
        entry = await self._ledger.intend(
            submission.key, intent.name, intent_digest(submission.spec)
        )
        if entry is not None and entry.handle is not None:
            return self._known(entry, entry.handle, intent, detached=detached)
        launching = asyncio.create_task(self._launcher.launch(intent, entry, report))
        try:
            submitted = await asyncio.shield(launching)
        except asyncio.CancelledError:
            await self._undo(launching, intent, detached=detached)
            raise
        return self._launched(submitted, intent, detached=detached)

    def attach(self, handle: JobHandle, *, key: str = "", name: str = "") -> Job:
        """A job from its handle alone. Cancelling whoever waits for it does not stop it."""
        return self._job(handle, key=key, name=name or handle.name, detached=True)

    async def list(self) -> Sequence[ListedJob]:
        """Every job that dayfly made at this provider, from any machine.

        Raises:
            NotServed: The plugin keeps no inventory.
        """
        return await self._inventory().list_jobs()

    async def prune(
        self, *, dry_run: bool = False, older_than_seconds: int = 0
    ) -> Sequence[Leftover]:
        """Remove what ended jobs left at the provider, or only say what would go.

        Raises:
            NotServed: The plugin keeps no inventory.
        """
        return await self._inventory().prune(dry_run=dry_run, older_than_seconds=older_than_seconds)

    async def recover(self) -> None:
        """Look up launches that were cut off: each has a job, or never came to one."""
        if not self._provider.knows_keys:
            return
        for entry in await self._ledger.open_intents():
            if entry.pid != os.getpid() and _runs(entry.pid):
                continue  # Its launch is under way.
            handle = await self._provider.submitter.find(entry.key)
            if handle is None:
                await self._ledger.forget(entry.key)
            else:
                await self._ledger.launched(entry.key, handle)

    def _prepared(
        self, spec: JobSpec, key: str | None, *, follow: bool = False, detached: bool = False
    ) -> Intent:
        return prepare(
            spec,
            key,
            self.description,
            follow=follow,
            detached=detached,
            stoppable=self._provider.canceler is not None,
        )

    def _inventory(self) -> JobInventory:
        if self._provider.inventory is None:
            raise NotServed(
                f"the plugin of provider {self._provider.name!r} keeps no inventory of its jobs",
                advice="`dayfly ps --all` without --on lists what was launched from here.",
            )
        return self._provider.inventory

    async def _undo(
        self, launching: asyncio.Task[Submitted], intent: Intent, *, detached: bool
    ) -> None:
        """The caller was cancelled in the middle of a launch: leave nothing behind."""
        key = intent.submission.key
        settling = asyncio.create_task(self._launcher.settle(launching, key))
        await asyncio.wait({settling})
        handle = settling.result()
        if handle is None or detached:
            return
        job = self._job(handle, key=key, name=intent.name)
        await job.stop_shielded()
        await job.delete()

    def _known(
        self, entry: JournalEntry, handle: JobHandle, intent: Intent, *, detached: bool
    ) -> Job:
        """The job that the journal has: it is never submitted again."""
        job = self._job(handle, key=entry.key, name=entry.name, detached=detached)
        job.adopted = True
        job.grace_seconds = intent.submission.spec.grace_period_seconds
        if entry.deleted:
            job.removed = entry.status or JobStatus(
                handle=handle,
                state=JobState.UNKNOWN,
                reason=Reason.LOST,
                message="it was removed before its end was seen",
            )
            job.notes = (f"{entry.name} ended before and was removed; its output went with it",)
            return job
        self._keep_deadline(job, intent, begun=entry.created)
        return job

    def _launched(self, submitted: Submitted, intent: Intent, *, detached: bool) -> Job:
        job = self._job(
            submitted.handle, key=intent.submission.key, name=intent.name, detached=detached
        )
        job.adopted, job.notes = submitted.adopted, submitted.notes
        job.grace_seconds = intent.submission.spec.grace_period_seconds
        self._keep_deadline(job, intent, begun=datetime.now(UTC))
        return job

    def _job(self, handle: JobHandle, *, key: str, name: str, detached: bool = False) -> Job:
        if self._watch is None:
            raise FailedPrecondition("Jobs is used before it is entered with `async with`")
        return Job(
            handle=handle,
            provider=self._provider,
            description=self.description,
            watch=self._watch,
            ledger=self._ledger,
            key=key,
            name=name,
            detached=detached,
        )

    def _keep_deadline(self, job: Job, intent: Intent, *, begun: datetime) -> None:
        if intent.timeout_seconds is None:
            return
        gone = (datetime.now(UTC) - begun).total_seconds()
        task = asyncio.create_task(job.stop_at(intent.timeout_seconds - gone))
        self._deadlines.add(task)
        task.add_done_callback(self._deadlines.discard)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
