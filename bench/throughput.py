"""200 MB of output through docker, and the memory of all that carries it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from bench.paired import Row, pair

DAYFLY = str(Path(sys.executable).with_name("dayfly"))
IMAGE = "dayfly-test:latest"
BYTES = 200_000_000
#: Lines of 100 bytes, as logs have them.
SCRIPT = f"yes {'x' * 99} | head -c {BYTES}"
OURS = [DAYFLY, "run", "--on", "docker", "--image", IMAGE, "--", "sh", "-c", SCRIPT]
MIB = 1024 * 1024


def measure() -> list[Row]:
    """Speed against docker's own client; memory with a quick and with a slow reader."""
    both = pair(OURS, ["docker", "run", "--rm", IMAGE, "sh", "-c", SCRIPT], runs=5)
    throughput = both.yardstick / both.ours
    quick = peak_mib(pause_seconds=0)
    slow = peak_mib(pause_seconds=0.02)
    return [
        Row(
            "200 MB through docker, throughput / docker run's",
            f"{throughput:.2f} ({BYTES / both.ours / 1e6:.0f} / "
            f"{BYTES / both.yardstick / 1e6:.0f} MB/s)",
            "at least 0.7",
            throughput >= 0.7,
        ),
        Row("memory of CLI and plugin, quick reader", f"{quick:.0f} MiB", "under 143", quick < 143),
        Row("memory of CLI and plugin, slow reader", f"{slow:.0f} MiB", "under 143", slow < 143),
    ]


def peak_mib(*, pause_seconds: float) -> float:
    """Highest resident memory of the CLI and its plugin together, sampled.

    Args:
        pause_seconds: The reader waits this long after every 64 KiB, for 10 seconds,
            and then reads on at full speed.
    """
    cli = subprocess.Popen(OURS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peaks = [0]
    sampler = threading.Thread(target=_sample, args=(cli, peaks))
    sampler.start()
    assert cli.stdout is not None
    received, slow_until = 0, time.monotonic() + 10
    while piece := cli.stdout.read(65536):
        received += len(piece)
        if pause_seconds and time.monotonic() < slow_until:
            time.sleep(pause_seconds)
    cli.wait(timeout=60)
    sampler.join()
    if received != BYTES:
        raise RuntimeError(f"{received} of {BYTES} bytes arrived")
    return peaks[0] / MIB


def _sample(cli: subprocess.Popen[bytes], peaks: list[int]) -> None:
    root = psutil.Process(cli.pid)
    while cli.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [root, *root.children(recursive=True)]
            peaks[0] = max(peaks[0], sum(p.memory_info().rss for p in family))
        time.sleep(0.05)
