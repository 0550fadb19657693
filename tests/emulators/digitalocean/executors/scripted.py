"""A job that is a few lines of JSON: for load, and for what no container does on demand."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.emulators.aws.script import Script, read_script
from tests.emulators.digitalocean.executors.order import Ended

if TYPE_CHECKING:
    from tests.emulators.digitalocean.executors.order import Order


async def run(order: Order) -> Ended:
    """As the job's script says; ``emulate`` of the ECS emulator writes one.

    ``fail_to_start`` has ``code`` and ``message`` of the step's reason here, and
    ``interrupted`` and ``spot_after`` mean nothing.
    """
    try:
        script = read_script(order.argv)
    except (TypeError, ValueError) as error:
        return Ended(exit_code=None, code="DeployContainerInvalid", message=str(error))
    if script.fail_to_start:
        code = script.fail_to_start.get("code", "DeployImagePullError")
        return Ended(exit_code=None, code=code, message=script.fail_to_start.get("message", ""))
    order.started()
    if await _stopped(order, script):
        return await _term(order, script)
    if script.oom:
        return Ended(exit_code=137, oom=True)
    return Ended(exit_code=script.exit_code)


async def _stopped(order: Order, script: Script) -> bool:
    """Print and wait; True where the stop came first."""
    loop = asyncio.get_running_loop()
    begun, step = loop.time(), script.step(order.default_run_seconds)
    for number in range(script.count):
        # By the clock and not by the sum of sleeps, which would be late at a high pace.
        if step and await _wait(order.stop, begun + step * number - loop.time()):
            return True
        if order.stop.is_set():
            return True
        order.output.write(f"{script.line(number)}\n".encode())
        if not step and number % 100 == 99:
            await asyncio.sleep(0)
    left = begun + script.duration(order.default_run_seconds) - loop.time()
    return await _wait(order.stop, left)


async def _wait(stop: asyncio.Event, seconds: float) -> bool:
    if seconds <= 0:
        return stop.is_set()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds if math.isfinite(seconds) else None):
            await stop.wait()
    return stop.is_set()


async def _term(order: Order, script: Script) -> Ended:
    grace = order.grace_seconds
    if script.ignores_term or script.term_seconds > grace:
        await asyncio.sleep(grace)
        return Ended(exit_code=137)
    await asyncio.sleep(script.term_seconds)
    return Ended(exit_code=script.term_exit_code)
