"""The emulator as a process of its own: ``python -m tests.emulators.digitalocean --port 0``.

It prints ``{"url": ..., "ca_file": ..., "registries": ...}`` as one line when it listens, and
ends with SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from tests.emulators.digitalocean.emulator import Emulator
from tests.emulators.digitalocean.knobs import Knobs


async def _serve(port: int, knobs: Knobs) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)
    async with Emulator(knobs, port=port) as emulator:
        told = {"url": emulator.url, "ca_file": emulator.ca_file, "registries": emulator.registries}
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()
        await done.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulators.digitalocean")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--knobs", type=json.loads, default={}, help="JSON, as in knobs.py")
    options = parser.parse_args()
    asyncio.run(_serve(options.port, Knobs().changed(options.knobs)))


if __name__ == "__main__":
    main()
