"""An agent in a process of its own, in a network of its own where the machine allows that."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from dayfly.sandbox import RemoteRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYFLY = str(Path(sys.executable).with_name("dayfly"))
TOKEN = "0123456789abcdef0123456789abcdef"
SECRET = "canary-value-of-a-secret-71c2"
SETTINGS = """
[providers.docker]
plugin = "docker"
[providers.docker.secrets]
"ci/token" = "env:AGENT_SECRET"
"prod/token" = "env:AGENT_SECRET"
[providers.local]
plugin = "local"
[providers.local.secrets]
"ci/token" = "env:AGENT_SECRET"
"""


@dataclass(frozen=True)
class Network:
    """Where an agent is.

    Attributes:
        host: Its address, as we reach it.
        within: What its command begins with, to be there.
    """

    host: str = "127.0.0.1"
    within: tuple[str, ...] = ()


@dataclass
class Agent:
    """A running agent."""

    runner: RemoteRunner
    process: subprocess.Popen[str]
    network: Network

    def as_runners(self, **changes: str) -> dict[str, RemoteRunner]:
        return {"remote": replace(self.runner, **changes)}


@contextmanager
def own_network() -> Iterator[Network]:
    """A network namespace with one wire to ours; our own loopback where that is not allowed."""
    name = f"df{uuid.uuid4().hex[:8]}"
    subnet = f"10.213.{int(name[2:4], 16)}"
    made = _ip("netns", "add", name)
    try:
        wired = (
            made
            and _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            and _ip("addr", "add", f"{subnet}.1/24", "dev", name)
            and _ip("link", "set", name, "up")
            and _ip("-n", name, "addr", "add", f"{subnet}.2/24", "dev", "eth0")
            and _ip("-n", name, "link", "set", "eth0", "up")
            and _ip("-n", name, "link", "set", "lo", "up")
        )
        there = Network(f"{subnet}.2", ("ip", "netns", "exec", name))
        yield there if wired else Network()
    finally:
        if made:
            _ip("netns", "del", name)


def _ip(*words: str) -> bool:
    try:
        return subprocess.run(["ip", *words], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def running_agent(
    directory: Path, network: Network, *options: str, client_ca: bool = False
) -> Iterator[Agent]:
    """An agent that runs ``dayfly-test`` images up to the profile ``standard``."""
    directory.mkdir(exist_ok=True)
    ca = trustme.CA()
    own = ca.issue_cert(network.host, "localhost")
    ca.cert_pem.write_to_path(directory / "ca.pem")
    own.private_key_pem.write_to_path(directory / "key.pem")
    chain = b"".join(pem.bytes() for pem in own.cert_chain_pems)
    (directory / "cert.pem").write_bytes(chain)
    (directory / "dayfly.toml").write_text(SETTINGS, encoding="utf-8")
    (directory / "token").write_text(TOKEN + "\n", encoding="utf-8")
    words = [
        *(*network.within, DAYFLY, "agent", "--listen", f"{network.host}:0"),
        *("--tls-cert", "cert.pem", "--tls-key", "key.pem", "--token-file", "token"),
        *("--allow-image", "dayfly-test:*", "--max-profile", "standard"),
        *("--secret-prefix", "ci/", *(("--client-ca", "ca.pem") if client_ca else ()), *options),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAYFLY_")}
    env = {**kept, "AGENT_SECRET": SECRET, "DAYFLY_STATE_DIR": str(directory / "state")}
    with subprocess.Popen(
        words, cwd=directory, env=env, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        while " WARNING " in line:  # Of what an earlier agent left.
            line = process.stderr.readline()
        assert "the agent listens on" in line, line + process.stderr.read()
        runner = RemoteRunner(
            name="remote",
            address=line.split()[-1],
            token=f"file:{directory / 'token'}",
            ca=str(directory / "ca.pem"),
        )
        try:
            yield Agent(runner, process, network)
        finally:
            process.terminate()
            _, log = process.communicate(timeout=60)
            assert SECRET not in log
            assert TOKEN not in log
            assert "Traceback" not in log, log
