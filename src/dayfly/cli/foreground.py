"""A job in the foreground: its output, its signals, its end, and what it leaves behind.

Whoever reads our stdout and goes away (``| head``) stops the job, as SIGPIPE stops a
local program. Output that cannot be read or written for another reason does not: the
job goes on to its end, stays, and ``dayfly logs`` can read it again.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dayfly.cli.exits import DAYFLY_FAILED, READER_GONE, exit_code_for
from dayfly.cli.interrupts import Interrupts
from dayfly.cli.printing import say
from dayfly.cli.progress import ProgressLine
from dayfly.cli.sink import Sink
from dayfly.contract.errors import DayflyError
from dayfly.contract.jobs import Stream

if TYPE_CHECKING:
    from dayfly.api import Connection
    from dayfly.contract.jobs import JobSpec, JobStatus
    from dayfly.jobs import Job


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


@dataclass
class Foreground:
    """One run, from the launch to the removal."""

    connection: Connection
    order: Order
    sink: Sink
    line: ProgressLine
    interrupts: Interrupts
    job: Job | None = None
    _output_lost: bool = False
    _reader_gone: bool = False
    _stopping: set[asyncio.Task[object]] = field(default_factory=set)

    async def run(self) -> Outcome:
        """Launch, follow, wait, remove."""
        job = await self._launch()
        if job is None:
            return Outcome(exit_code=self.interrupts.exit_code)
        self.job = job
        for note in job.notes:
            self._say(note)
        if job.adopted:
            self._say(f"{job.name} was launched before under this key; here it is again")
        self.line.say(f"{job.name} runs")
        status = await self._to_its_end(job)
        code = self._exit_code(status)
        kept = self.order.keep or self._output_lost
        if not kept:
            kept = not await self._removed(job)
        return Outcome(job=job, status=status, exit_code=code, kept=kept)

    async def _launch(self) -> Job | None:
        launching = asyncio.create_task(
            self.connection.jobs.launch(
                self.order.spec, key=self.order.key, follow=True, report=self.line.launching
            )
        )
        stopped = asyncio.create_task(self.interrupts.stop.wait())
        await asyncio.wait({launching, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if launching.done():
            return await launching
        self._say("stopping the launch; Ctrl-C again leaves it as it is")
        launching.cancel()
        await asyncio.wait({launching})
        if launching.cancelled():
            return None
        return await launching

    async def _to_its_end(self, job: Job) -> JobStatus:
        try:
            async with asyncio.TaskGroup() as group:
                stopper = group.create_task(self._stop_when_told(job))
                copying = group.create_task(self._copy(job))
                status = await job.wait()
                await copying
                stopper.cancel()
        except BaseExceptionGroup as failures:
            # One of them is the cause; the others were cancelled by it.
            raise failures.exceptions[0] from None
        return status

    async def _stop_when_told(self, job: Job) -> None:
        await self.interrupts.stop.wait()
        self._say(f"stopping {job.name}; Ctrl-C again leaves without waiting")
        await job.cancel()

    async def _copy(self, job: Job) -> None:
        """Copy the output; a failure here is told, and is never part of the output."""
        try:
            async for batch in job.output():
                if batch.data:
                    descriptor = self._descriptor(batch.stream)
                    self.line.before_output(descriptor, batch.data)
                    await self.sink.write(descriptor, batch.data)
            await self.sink.flush()
        except BrokenPipeError:
            self._reader_gone = True
            await job.cancel()
        except (DayflyError, OSError) as error:
            self._output_lost = True
            self._say(f"the output of {job.name} could not be passed on: {error}")
            self._say(f"the job goes on; read it again with: dayfly logs {job.name}")

    def _descriptor(self, stream: Stream) -> int:
        return self.order.stderr if stream is Stream.STDERR else self.order.stdout

    def _exit_code(self, status: JobStatus) -> int:
        if self._reader_gone:
            return READER_GONE
        code = exit_code_for(status, cancelled_as=self.interrupts.exit_code)
        return code or (DAYFLY_FAILED if self._output_lost else 0)

    async def _removed(self, job: Job) -> bool:
        try:
            await job.delete()
        except DayflyError as error:
            self._say(f"{job.name} ended, but what it left could not be removed: {error}")
            self._say(f"remove it with: dayfly rm {job.name}")
            return False
        return True

    def _say(self, text: str) -> None:
        self.line.clear()
        say(text)


async def run_in_foreground(connection: Connection, order: Order) -> Outcome:
    """Run a job as ``order`` says; a second Ctrl-C ends this process at once."""
    sink = Sink()
    with Interrupts() as interrupts:
        async with connection, ProgressLine(sink) as line:
            foreground = Foreground(connection, order, sink, line, interrupts)
            running = asyncio.create_task(foreground.run())
            leaving = asyncio.create_task(interrupts.leave.wait())
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            if not running.done():
                line.clear()
                leave(foreground)
            outcome = await running
    sink.close()
    return outcome


def leave(foreground: Foreground) -> None:
    """End this process without waiting for anything. The journal knows the job."""
    job = foreground.job
    name = job.name if job else "@latest"
    say(f"left {name}; its stop was asked for, and is not confirmed")
    say(f"look: dayfly status {name}    stop: dayfly cancel {name}    output: dayfly logs {name}")
    foreground.connection.abandon()
    # Nothing is flushed or waited for: that is what the second Ctrl-C asks for.
    os._exit(foreground.interrupts.exit_code)
