"""One executable file of a Python module and all that it needs, made by PEX.

A plain zipapp cannot load a compiled extension such as gRPC's; PEX lays them out in a cache
of the user's at the first start. It asks for nothing over the network, then or now. Its file
is the same, bit by bit, for the same content.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DeadlinePassed, FailedPrecondition, ProviderFailed

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.host.packages.closure import Closure

_SECONDS: Final = 900.0
_LAST_WORDS: Final = 2_000
_NOT_SOURCES: Final = shutil.ignore_patterns("__pycache__", "*.pyc", "*.pyo")


def require_packer() -> None:
    """Refuse early where the packer is not installed.

    Raises:
        FailedPrecondition: Naming what is missing.
    """
    missing = [name for name in ("pex", "packaging") if find_spec(name) is None]
    if missing:
        raise FailedPrecondition(
            f"packing needs {' and '.join(missing)}, not installed here",
            advice="pip install 'dayfly[pack]'",
        )


def write_executable(program: Path, module: str, closure: Closure, scratch: Path) -> None:
    """Write the file; it needs a Python of this version on PATH, and nothing else.

    Args:
        program: The file to make.
        module: What it runs.
        closure: What goes into it.
        scratch: An empty directory of the caller's own.

    Raises:
        ProviderFailed: PEX failed; with its last words.
        DeadlinePassed: It did not end within 15 minutes.
        FailedPrecondition: A source file cannot be read.
    """
    sources = _copied(closure, scratch / "sources")
    argv = [
        *(sys.executable, "-m", "pex"),
        # Of this environment, and of no index.
        *("--venv-repository", sys.prefix, *closure.requirements),
        *("--sources-directory", str(sources), "--entry-point", module),
        # A shell finds the laid out file in the cache: 0.3 s to start, not 0.7.
        *("--venv", "--sh-boot", "--no-compile"),
        *("--output-file", str(program)),
    ]
    # Settings of PEX would make it another file on another machine; its cache may stay.
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("PEX_") or key == "PEX_ROOT"
    }
    try:
        done = subprocess.run(
            argv,
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DeadlinePassed(f"pex made no {program.name} within {_SECONDS:g} s") from error
    if done.returncode or not program.is_file():
        words = done.stdout.decode(errors="replace").strip()[-_LAST_WORDS:]
        raise ProviderFailed(f"pex made no {program.name} (exit code {done.returncode}):\n{words}")
    program.chmod(0o755)


def _copied(closure: Closure, sources: Path) -> Path:
    """Packages as they are imported, without what is compiled from them."""
    sources.mkdir()
    for package in closure.packages:
        try:
            shutil.copytree(package, sources / package.name, ignore=_NOT_SOURCES)
        except (OSError, shutil.Error) as error:
            raise FailedPrecondition(f"{package} cannot be packed: {error}") from error
    for path in sources.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return sources
