"""A job as a container of the local engine, through the ``docker`` command."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tests.emulators.digitalocean.executors.order import Ended

if TYPE_CHECKING:
    from tests.emulators.digitalocean.executors.order import Order

#: ``docker ps -a --filter label=dayfly.emulator=digitalocean`` shows what was left behind.
LABEL: Final = "dayfly.emulator=digitalocean"


async def run(order: Order) -> Ended:
    """Create, start, print, stop when asked, and remove."""
    name = f"dayfly-emulator-{order.id}"
    try:
        code, said = await _docker("create", *_options(order, name))
        if code:
            return Ended(exit_code=None, code="DeployImagePullError", message=said.strip())
        return await _started(order, name)
    finally:
        # Also when the emulator ends; a container must not outlive it.
        await asyncio.shield(asyncio.create_task(_docker("rm", "--force", name)))


def _options(order: Order, name: str) -> list[str]:
    env = [word for key, value in order.env.items() for word in ("--env", f"{key}={value}")]
    entry = ["--entrypoint", order.argv[0]] if order.argv else []
    labels = ["--label", LABEL, "--label", f"dayfly.emulator.run={order.id}"]
    network = ["--network", "none", "--pull", "never"]
    return ["--name", name, *labels, *network, *env, *entry, order.image, *order.argv[1:]]


async def _started(order: Order, name: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        "docker", "start", "--attach", name,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    order.started()
    stopping = asyncio.create_task(_stop(order, name))
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        await asyncio.gather(_print(order, process.stdout), _print(order, process.stderr))
        code = await process.wait()
        oom = code == 137 and await _oom(name)
        return Ended(exit_code=code, oom=oom)
    finally:
        stopping.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        with suppress(asyncio.CancelledError):
            await stopping


async def _print(order: Order, pipe: asyncio.StreamReader) -> None:
    """Whole lines, as a node of a cluster keeps them; what has no end comes at the end."""
    rest = b""
    while data := await pipe.read(65536):
        whole, newline, rest = (rest + data).rpartition(b"\n")
        if newline:
            order.output.write(whole + newline)
    if rest:
        order.output.write(rest)


async def _stop(order: Order, name: str) -> None:
    await order.stop.wait()
    while True:
        # Again: it may not have been running yet, which is no error to the engine.
        await _docker("stop", "--time", str(math.ceil(order.grace_seconds)), name)
        await asyncio.sleep(0.2)


async def _oom(name: str) -> bool:
    _, said = await _docker("inspect", "--format", "{{.State.OOMKilled}}", name)
    return said.strip() == "true"


async def _docker(*words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "docker", *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    return process.returncode or 0, said.decode(errors="replace")
