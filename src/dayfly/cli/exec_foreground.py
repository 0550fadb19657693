"""A sandboxed command in the foreground: its output, signals, its end."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.cli.exits import DAYFLY_FAILED, READER_GONE, exit_code_for
from dayfly.cli.interrupts import Interrupts
from dayfly.cli.printing import say
from dayfly.cli.sink import Sink
from dayfly.cli.warned import run_told
from dayfly.contract.jobs import JobHandle, JobStatus, Stream
from dayfly.sandbox.sandbox import MAX_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from dayfly.sandbox import Command, ExecResult, Sandbox

    Outcome = tuple[ExecResult | None, int]


def streamed(sandbox: Sandbox, command: Command) -> Outcome:
    """Run it with its output on our own; the result, and what to exit with."""
    return run_told(_interruptible(_stream(sandbox, command)))


def collected(sandbox: Sandbox, command: Command) -> Outcome:
    """Run it with its output in the result."""
    return run_told(_interruptible(_collect(sandbox, command)))


async def _stream(sandbox: Sandbox, command: Command) -> Outcome:
    try:
        async with Sink() as sink, sandbox.run(command) as running:
            async for output in running:
                await sink.write(2 if output.stream is Stream.STDERR else 1, output.data)
            await sink.flush()
            result = await running.result()
    except BrokenPipeError:  # Leaving the block has stopped the command.
        return None, READER_GONE
    return result, exit_code_of(result)


async def _collect(sandbox: Sandbox, command: Command) -> Outcome:
    if command.max_output is None:
        command = replace(command, max_output=MAX_OUTPUT)
    async with sandbox.run(command) as running:
        result = await running.result()
    return result, exit_code_of(result)


async def _interruptible(running: Coroutine[object, object, Outcome]) -> Outcome:
    """The first signal stops the command; a Ctrl-C after it leaves at once."""
    with Interrupts() as interrupts:
        task = asyncio.create_task(running)
        stopping = asyncio.create_task(interrupts.stop.wait())
        leaving = asyncio.create_task(interrupts.leave.wait())
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            say("stopping the command; Ctrl-C again leaves without waiting")
            task.cancel()
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            say("left; the stop was asked for, and is not confirmed: see dayfly ps")
            os._exit(interrupts.exit_code)
        stopping.cancel()
        leaving.cancel()
        if task.cancelled():
            return None, interrupts.exit_code
        return task.result()


def exit_code_of(result: ExecResult) -> int:
    """As ``dayfly run`` would exit."""
    status = JobStatus(
        handle=JobHandle(id="sandbox"),
        state=result.state,
        exit_code=result.exit_code,
        signal=result.signal,
        reason=result.reason,
    )
    return exit_code_for(status) or (DAYFLY_FAILED if result.output_error else 0)
