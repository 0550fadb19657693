"""How long a command takes from its start to its end."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.paired import Row, pair

DAYFLY = str(Path(sys.executable).with_name("dayfly"))
IMAGE = "dayfly-test:latest"


def measure() -> list[Row]:
    """The three commands whose start-up a person feels."""
    version = pair([DAYFLY, "--version"], [sys.executable, "-c", ""], runs=21)
    local = pair([DAYFLY, "run", "--", "true"], [sys.executable, "-c", ""], runs=11)
    docker = pair(
        [DAYFLY, "run", "--on", "docker", "--image", IMAGE, "--", "true"],
        ["docker", "run", "--rm", IMAGE, "true"],
        runs=41,  # An engine has quick and slow moments, of some seconds each.
    )
    return [
        Row(
            "dayfly --version / python -c ''",
            f"{version.ratio:.2f} ({version.ours * 1000:.0f} / {version.yardstick * 1000:.0f} ms)",
            "at most 6",
            version.ratio <= 6,
        ),
        Row("dayfly run -- true", f"{local.ours:.2f} s", "under 0.5 s", local.ours < 0.5),
        Row(
            "dayfly run --on docker -- true / docker run --rm true",
            f"{docker.ratio:.2f} ({docker.ours:.2f} / {docker.yardstick:.2f} s)",
            "at most 1.5",
            docker.ratio <= 1.5,
        ),
    ]
