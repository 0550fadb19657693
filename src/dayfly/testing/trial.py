"""One rule's run: real plugin processes, the jobs it launched, and their removal."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import tempfile
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import DayflyError, NotFound
from dayfly.contract.jobs import Stream
from dayfly.host import connect, spawn
from dayfly.jobs import Jobs, Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.jobs import JobHandle, JobSpec, JobStatus, LogBatch
    from dayfly.contract.services import Services
    from dayfly.host import PluginConnection, PluginProcess
    from dayfly.jobs import Job
    from dayfly.testing.under_test import ProviderUnderTest


@dataclass(frozen=True, slots=True)
class Session:
    """One process of the plugin, and jobs over it."""

    process: PluginProcess
    plugin: PluginConnection
    jobs: Jobs
    journal: Path

    def kill(self) -> None:
        """SIGKILL to the plugin's whole group, as the kernel's OOM killer would."""
        os.killpg(self.process.popen.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Output:
    """All that a job printed; what a provider does not keep apart is in ``stdout``."""

    batches: tuple[LogBatch, ...]

    @property
    def stdout(self) -> bytes:
        """Everything that is not known to be of stderr."""
        return b"".join(b.data for b in self.batches if b.stream is not Stream.STDERR)

    @property
    def stderr(self) -> bytes:
        """Everything of stderr."""
        return b"".join(b.data for b in self.batches if b.stream is Stream.STDERR)


@dataclass
class Trial:
    """What a rule works with.

    Attributes:
        provider: What is tested.
        directory: Empty, and removed at the end.
        session: A plugin that runs from the beginning.
        log: What plugins logged and printed in the course of the rule.
    """

    provider: ProviderUnderTest
    directory: Path
    session: Session
    log: list[str]
    _launched: dict[str, JobHandle] = field(default_factory=dict)

    @property
    def services(self) -> Services:
        """Of the first session."""
        return self.session.plugin.services

    @property
    def jobs(self) -> Jobs:
        """Of the first session."""
        return self.session.jobs

    @asynccontextmanager
    async def another_session(self) -> AsyncIterator[Session]:
        """A further process of the plugin, with a journal of its own: another machine."""
        journal = self.directory / f"journal-{secrets.token_hex(4)}.sqlite3"
        async with _session(self.provider, journal) as session:
            yield session

    def job(self, script: str, *arguments: str, **fields: Any) -> JobSpec:
        """As ``ProviderUnderTest.job``."""
        return self.provider.job(script, *arguments, **fields)

    async def launch(
        self,
        spec: JobSpec,
        *,
        key: str | None = None,
        jobs: Jobs | None = None,
        follow: bool = False,
    ) -> Job:
        """Launch a job that is removed at the end of the trial."""
        job = await (jobs or self.jobs).launch(spec, key=key or new_key(), follow=follow)
        self.remember(job.handle)
        return job

    def remember(self, handle: JobHandle) -> None:
        """Have a job that was launched some other way removed too."""
        self._launched[handle.id] = handle

    async def status(self, handle: JobHandle) -> JobStatus:
        """One fresh look, past the watch."""
        return await self.jobs.attach(handle).status()

    async def finish(self, spec: JobSpec) -> tuple[JobStatus, Output]:
        """Launch a job, read all it prints, and see it end."""
        job = await self.launch(spec)
        output = await read(job)
        return await job.wait(timeout=self.provider.seconds), output

    async def traces(self, key: str) -> list[str]:
        """Everything that is there for a key, by every way to look for it."""
        submitter, inventory = self.services.submitter, self.services.inventory
        found: list[str] = [*self.provider.resources(key)]
        if submitter and (handle := await submitter.find(key)):
            found.append(f"find: {handle.id}")
        if inventory:
            listed = await inventory.list_jobs()
            found += [f"list: {job.status.handle.id}" for job in listed if job.key == key]
        return found

    async def clean_up(self) -> None:
        """Stop and remove every job of this trial."""
        if not self._launched:
            return
        async with asyncio.timeout(self.provider.seconds):
            if self.session.process.popen.poll() is None:
                await self._remove_all(self.session)
                return
            async with self.another_session() as session:
                await self._remove_all(session)

    async def _remove_all(self, session: Session) -> None:
        services = session.plugin.services
        for handle in self._launched.values():
            job = session.jobs.attach(handle)
            with suppress(NotFound):
                if services.canceler and not (await job.status()).final:
                    await job.cancel()
            if services.inventory:
                await services.inventory.delete(handle)


async def read(job: Job, **query: Any) -> Output:
    """A job's output to its end."""
    return Output(tuple([batch async for batch in job.output(**query)]))


async def first_output(job: Job) -> LogBatch:
    """The first bytes of a job that runs on."""
    async with aclosing(job.output()) as batches:
        async for batch in batches:
            if batch.data:
                return batch
    raise AssertionError("the output ended before there was any")


def new_key() -> str:
    """A key that nobody has used."""
    return f"conformance-{secrets.token_hex(12)}"


@asynccontextmanager
async def opened_trial(provider: ProviderUnderTest) -> AsyncIterator[Trial]:
    """A trial with a first session; its jobs are removed whatever becomes of the rule."""
    with tempfile.TemporaryDirectory(prefix="dayfly-conformance-") as name, _recorded() as log:
        directory = Path(name)
        async with _session(provider, directory / "journal.sqlite3") as session:
            trial = Trial(provider, directory, session, log)
            try:
                yield trial
            except BaseException as failure:
                try:
                    await trial.clean_up()
                except (DayflyError, TimeoutError) as error:
                    failure.add_note(f"and its jobs could not be removed: {error}")
                raise
            else:
                await trial.clean_up()


@asynccontextmanager
async def _session(provider: ProviderUnderTest, journal: Path) -> AsyncIterator[Session]:
    process = spawn(provider.installed(), pass_env=provider.pass_env)
    async with (
        connect(process, config=provider.config) as plugin,
        Jobs(plugin.services, provider=provider.plugin, journal=Journal.open(journal)) as jobs,
    ):
        yield Session(process, plugin, jobs, journal)


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__(level=logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class _recorded:  # noqa: N801 - used as a context manager
    def __enter__(self) -> list[str]:
        self._logger, self._handler = logging.getLogger("dayfly"), _Recorder()
        self._level = self._logger.level
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.DEBUG)
        return self._handler.lines

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        self._logger.setLevel(self._level)
