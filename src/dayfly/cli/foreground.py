"""A job in the foreground: its output, its signals, its end, and what it leaves behind.

Whoever reads our stdout and goes away (``| head``) stops the job, as SIGPIPE stops a
local program. Output that cannot be read or written for another reason does not: the
job goes on to its end, stays, and ``dayfly logs`` can read it again.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from dayfly.cli.exits import DAYFLY_FAILED, READER_GONE, exit_code_for
from dayfly.cli.interrupts import Interrupts
from dayfly.cli.printing import say
from dayfly.cli.progress import ProgressLine
from dayfly.cli.sink import Sink
from dayfly.cli.warned import warnings_told
from dayfly.contract.errors import DayflyError, NotServed
from dayfly.contract.groups import TaskGroup
from dayfly.contract.jobs import Stream
from dayfly.host import PluginDied

if TYPE_CHECKING:
    from dayfly.api import Connection
    from dayfly.contract.jobs import JobSpec, JobStatus
    from dayfly.jobs import Job


#: How often the live line asks for the state, on a terminal only.
_STATE_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """What ``run`` was asked for.

    Attributes:
        spec: The job.
        key: Its idempotency key; None is a random one.
        keep: Leave the ended job where it is.
        stdout: Where the job's stdout goes.
        stderr: Where its stderr goes.
    """

    spec: JobSpec
    key: str | None = None
    keep: bool = False
    stdout: int = 1
    stderr: int = 2


@dataclass(kw_only=True)
class Outcome:
    """How it went.

    Attributes:
        job: The job; None where it was stopped before there was one.
        status: Its end.
        exit_code: What the command exits with.
        kept: The job's leftovers are still there.
    """

    exit_code: int
    job: Job | None = None
    status: JobStatus | None = None
    kept: bool = False


class Foreground:
    """One run, from the connection to the removal."""

    def __init__(self, connection: Connection, order: Order, interrupts: Interrupts) -> None:
        self.job: Job | None = None
        self.launching = False
        self._connection = connection
        self._order = order
        self._interrupts = interrupts
        self._sink = Sink()
        self._line = ProgressLine(self._sink)
        self._output_lost: DayflyError | OSError | None = None
        self._reader_gone = False

    async def run(self) -> Outcome:
        """Connect, launch, follow, wait, remove."""
        async with self._sink, self._connection, self._line:
            with warnings_told(self._line.tell):
                return await self._run()

    async def _run(self) -> Outcome:
        self.launching = True
        job = await self._launch()
        if job is None:
            return Outcome(exit_code=self._interrupts.exit_code)
        self.job = job
        self._introduce(job)
        try:
            status = await self._to_its_end(job)
        except DayflyError:
            self._line.tell(f"{job.name} may still run; look: dayfly status {job.name}")
            raise
        if isinstance(self._output_lost, PluginDied):
            self._tell_output_lost(job, self._output_lost)
        keep = self._order.keep or self._output_lost is not None
        kept = keep or not await self._removed(job)
        return Outcome(job=job, status=status, exit_code=self._exit_code(status), kept=kept)

    def leave(self) -> NoReturn:
        """End this process without waiting for anything. The journal knows the job."""
        name = self.job.name if self.job else "@latest"
        say(f"left {name}; its stop was asked for, and is not confirmed")
        say(f"look: dayfly status {name}    stop: dayfly cancel {name}")
        self._connection.abandon()
        # Nothing is flushed or waited for: that is what the second Ctrl-C asks for.
        os._exit(self._interrupts.exit_code)

    def _introduce(self, job: Job) -> None:
        for note in job.notes:
            self._line.tell(note)
        if job.adopted:
            self._line.tell(f"{job.name} was launched before under this key; here it is again")

    async def _launch(self) -> Job | None:
        launching = asyncio.create_task(
            self._connection.jobs.launch(
                self._order.spec,
                key=self._order.key,
                follow=True,
                keep=self._order.keep,
                report=self._line.launching,
            )
        )
        stopped = asyncio.create_task(self._interrupts.stop.wait())
        await asyncio.wait({launching, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if launching.done():
            return await launching
        self._line.tell("stopping the launch; Ctrl-C again leaves it as it is")
        launching.cancel()
        await asyncio.wait({launching})
        if launching.cancelled():
            return None
        return await launching

    async def _to_its_end(self, job: Job) -> JobStatus:
        try:
            async with TaskGroup() as group:
                besides = [
                    group.create_task(self._stop_when_told(job)),
                    group.create_task(self._show_state(job)),
                ]
                copying = group.create_task(self._copy(job))
                status = await job.wait()
                await copying
                for task in besides:
                    task.cancel()
        except BaseExceptionGroup as failures:
            # One of them is the cause; the others were cancelled by it.
            raise failures.exceptions[0] from None
        return status

    async def _stop_when_told(self, job: Job) -> None:
        await self._interrupts.stop.wait()
        self._line.tell(f"stopping {job.name}; Ctrl-C again leaves without waiting")
        await job.cancel()

    async def _show_state(self, job: Job) -> None:
        """Keep the live line true. What cannot be read now is the watch's affair."""
        while self._line.enabled:
            try:
                status = await job.status()
            except DayflyError as error:
                self._line.show(f"{job.name}: {error.message}")
            else:
                self._line.show(f"{job.name} is {status.state.name.lower()}")
            await asyncio.sleep(_STATE_SECONDS)

    async def _copy(self, job: Job) -> None:
        """Copy the output; a failure here is told, and is never part of the output."""
        try:
            async for batch in job.output():
                if batch.data:
                    descriptor = self._descriptor(batch.stream)
                    self._line.before_output(descriptor, batch.data)
                    await self._sink.write(descriptor, batch.data)
            await self._sink.flush()
        except BrokenPipeError:
            self._reader_gone = True
            await job.cancel()
        except (DayflyError, OSError) as error:
            self._output_lost = error
            # The watch of the job fails by the same death, and whoever waits for it tells of it.
            if not isinstance(error, PluginDied):
                self._tell_output_lost(job, error)

    def _tell_output_lost(self, job: Job, error: Exception) -> None:
        self._line.tell(f"the output of {job.name} could not be passed on: {error}")
        self._line.tell(f"that stops no job; read it again with: dayfly logs {job.name}")

    def _descriptor(self, stream: Stream) -> int:
        return self._order.stderr if stream is Stream.STDERR else self._order.stdout

    def _exit_code(self, status: JobStatus) -> int:
        if self._reader_gone:
            return READER_GONE
        code = exit_code_for(status, cancelled_as=self._interrupts.exit_code)
        return code or (DAYFLY_FAILED if self._output_lost else 0)

    async def _removed(self, job: Job) -> bool:
        try:
            await job.delete()
        except NotServed:
            return False  # Its plugin cannot: nobody can do anything about it, after each run.
        except DayflyError as error:
            self._line.tell(f"{job.name} ended, but what it left could not be removed: {error}")
            self._line.tell(f"remove it with: dayfly rm {job.name}")
            return False
        return True


async def run_in_foreground(connection: Connection, order: Order) -> Outcome:
    """Run a job as ``order`` says; a second Ctrl-C ends this process at once."""
    with Interrupts() as interrupts:
        foreground = Foreground(connection, order, interrupts)
        running = asyncio.create_task(foreground.run())
        stopping = asyncio.create_task(interrupts.stop.wait())
        leaving = asyncio.create_task(interrupts.leave.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done() and not foreground.launching:
            running.cancel()
        await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            foreground.leave()
        stopping.cancel()
        leaving.cancel()
        if running.cancelled():
            return Outcome(exit_code=interrupts.exit_code)
        return running.result()
