"""Builds the Go programs once, under the digest of what they are made of."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE = Path(__file__).parent
SOURCES = HERE / "go"
PROTO = HERE.parent.parent / "proto"
MESSAGES = tuple(
    f"dayfly/contract/wire/{name}.proto" for name in ("iac", "plugin_service", "sandbox")
)
MODULE = "dayfly.example/interop"
GENERATORS = (
    "google.golang.org/protobuf/cmd/protoc-gen-go",
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
)

#: A first build compiles gRPC, which takes minutes on a busy machine with two cores.
BUILD_SECONDS = 480
DOWNLOAD_SECONDS = 120


class NoGo(Exception):  # noqa: N818 - a reason to skip, not an error
    """The programs cannot be built on this machine."""


class Programs(NamedTuple):
    """What was built."""

    provider: Path
    host: Path
    exec_client: Path
    exec_agent: Path


def programs_built() -> Programs:
    """The Go programs, from an earlier build if there is one of the same sources.

    Raises:
        NoGo: There is no Go, or its modules are neither here nor to be had.
        AssertionError: The programs do not compile.
    """
    cache = Path(sys.prefix, "interop")
    home = cache / _digest()
    with _alone(cache):
        if not (home / "host").exists():
            _build(home)
            for old in set(cache.glob("[0-9a-f]*")) - {home}:
                shutil.rmtree(old)
    return Programs(*(home / name.replace("_", "-") for name in Programs._fields))


def _digest() -> str:
    digest = hashlib.sha256()
    sources = [*SOURCES.rglob("*"), *(PROTO / name for name in MESSAGES), Path(__file__)]
    for path in sorted(path for path in sources if path.is_file()):
        digest.update(f"{path.relative_to(HERE.parent.parent)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _build(home: Path) -> None:
    go = shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin")
    if go is None:
        raise NoGo("no Go toolchain")
    env = {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GOFLAGS": "-mod=readonly -trimpath",
        "CGO_ENABLED": "0",
    }
    with tempfile.TemporaryDirectory(prefix="dayfly-interop-") as name:
        sources, tools, out = Path(name, "go"), Path(name, "tools"), Path(name, "out")
        shutil.copytree(SOURCES, sources)
        for directory in (tools, out):
            directory.mkdir()
        done = _run(go, "mod", "download", cwd=sources, env=env, seconds=DOWNLOAD_SECONDS)
        if done.returncode:
            raise NoGo(f"the Go modules cannot be had: {done.stderr.strip()[-500:]}")
        _must(go, "build", "-o", f"{tools}/", *GENERATORS, cwd=sources, env=env)
        _generate(sources, {**env, "PATH": f"{tools}:{env['PATH']}"})
        _must(go, "vet", "./...", cwd=sources, env=env)
        _must(go, "build", "-o", f"{out}/", "./cmd/...", cwd=sources, env=env)
        shutil.move(out, home)


def _generate(sources: Path, env: Mapping[str, str]) -> None:
    """Make the package wire from our own proto files, as they are now."""
    options = []
    for plugin in ("go", "go-grpc"):
        options += [f"--{plugin}_out={sources}", f"--{plugin}_opt=module={MODULE}"]
        options += [f"--{plugin}_opt=M{message}={MODULE}/wire" for message in MESSAGES]
    protoc = (sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={PROTO}")
    _must(*protoc, *options, *MESSAGES, cwd=sources, env=env)


def _must(*argv: str, cwd: Path, env: Mapping[str, str]) -> None:
    done = _run(*argv, cwd=cwd, env=env, seconds=BUILD_SECONDS)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"


def _run(
    *argv: str, cwd: Path, env: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=seconds, check=False
    )


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Several test processes may want the programs at once; one of them builds."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
