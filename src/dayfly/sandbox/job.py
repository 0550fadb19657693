"""A command as a job of a provider."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, NotFound, NotServed
from dayfly.contract.jobs import JobState, JobStatus, Reason
from dayfly.sandbox.fit import fit
from dayfly.sandbox.result import Ended, Output

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dayfly.jobs import Job
    from dayfly.sandbox.command import Command
    from dayfly.sandbox.environments import Reached, Resolve
    from dayfly.sandbox.fit import Fitted

_log = logging.getLogger("dayfly.sandbox")


class JobEnvironment:
    """Runs each command as one job, and removes it."""

    def __init__(self, resolve: Resolve, provider: str, exec_env: str) -> None:
        """Take how the provider is reached.

        Args:
            resolve: Gives a provider by its name.
            provider: The name.
            exec_env: What people call this environment.
        """
        self._resolve = resolve
        self._provider = provider
        self._exec_env = exec_env

    async def run(self, command: Command) -> AsyncGenerator[Output | Ended, None]:
        """Launch, pass the output on, wait, remove; closed early it stops the job.

        Raises:
            NotFound: The provider is not configured.
            NotServed: Its plugin runs no jobs.
            DayflyError: The job was refused, or its end cannot be seen.
        """
        async with AsyncExitStack() as stack:
            reached = await self._reach(stack)
            description = await reached.jobs.describe()
            cancels = reached.plugin.services.canceler is not None
            fitted = fit(command, description, cancels=cancels)
            job = await reached.jobs.launch(fitted.spec, follow=True)
            try:
                lost: DayflyError | None = None
                room = fitted.most_printed
                try:
                    async with aclosing(job.output()) as batches:
                        async for batch in batches:
                            if batch.data:
                                yield Output(stream=batch.stream, data=batch.data)
                            if room is not None and (room := room - len(batch.data)) < 0:
                                break
                except DayflyError as error:
                    lost = error  # It says nothing about the job, which goes on.
                if room is not None and room < 0:
                    status = _printed_too_much(await job.cancel(), command, fitted)
                else:
                    status = await job.wait()
            except (asyncio.CancelledError, GeneratorExit):
                await _see_through(_stop(job))
                raise
            notes = (*fitted.notes, *job.notes)
            if lost is not None:
                notes += (f"the output of {job.name} is not whole; look: dayfly logs {job.name}",)
            elif trouble := await _removed(job):
                notes += (trouble,)
            yield Ended(status=status, profile=command.profile, notes=notes, output_error=lost)

    async def _reach(self, stack: AsyncExitStack) -> Reached:
        try:
            context = self._resolve(self._provider)
        except NotFound as error:
            raise NotFound(
                f"exec_env {self._exec_env!r}: provider {self._provider!r} is not configured: "
                f"{error.message}",
                field="provider",
                advice=error.advice,
            ) from error
        reached = await stack.enter_async_context(context)
        services = reached.plugin.services
        if services.submitter is None and services.runner is None:
            raise NotServed(
                f"exec_env {self._exec_env!r}: provider {self._provider!r} does not advertise a "
                "job runner (neither IaCProviderRunner nor dayfly.v1.Submit)",
                field="provider",
                advice="Use a provider that runs jobs; `dayfly describe --on NAME` shows it.",
            )
        return reached


def _printed_too_much(end: JobStatus, command: Command, fitted: Fitted) -> JobStatus:
    """The end of a command that was stopped for that, whatever it made of its stop."""
    most = (fitted.most_printed or 0) >> 20
    return JobStatus(
        handle=end.handle,
        state=JobState.FAILED,
        reason=Reason.CANCELLED,
        message=f"stopped: it printed more than the {most} MiB that profile {command.profile!r} "
        "allows where a greater max_output is not asked for",
    )


async def _see_through(stop: object) -> None:
    """Do a stop to its end, also when the caller is cancelled again."""
    task = asyncio.ensure_future(stop)  # type: ignore[call-overload]
    await asyncio.shield(task)


async def _stop(job: Job) -> None:
    """Stop what nobody waits for any more, and remove it."""
    try:
        await job.cancel()
        await job.delete()
    except DayflyError as error:
        _log.warning("%s may still be there: %s", job.name, error.message)


async def _removed(job: Job) -> str:
    """Remove it; what kept it from that, or nothing."""
    try:
        await job.delete()
    except NotServed:
        return f"what {job.name} left stays: its provider cannot remove jobs"
    except DayflyError as error:
        return f"{job.name} ended, and what it left could not be removed: {error.message}"
    return ""
