"""The real engine, an image that is this session's own, and sandboxes over both."""

from __future__ import annotations

import subprocess
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.conformance.ministack import ministack, secret_arn, settings
from tests.conformance.stand_ins import free_port
from tests.sandbox.go_place import installed
from tests.sandbox.remote_agent import SECRET, SETTINGS, own_network, running_agent

from dayfly.api import connect
from dayfly.host.config import parse_config
from dayfly.jobs import Journal
from dayfly.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sandbox.remote_agent import Agent, Network

    from dayfly.sandbox import RemoteRunner


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The tests' image under a name of its own, so that its containers can be told apart."""
    name = f"dayfly-test:sandbox-{uuid.uuid4().hex[:8]}"
    subprocess.run(["docker", "tag", "dayfly-test:latest", name], check=True)
    yield name
    assert containers_of(name) == [], "nothing is left behind"
    subprocess.run(["docker", "rmi", name], check=True, capture_output=True)


def containers_of(image: str) -> list[str]:
    """Names of the containers, running or not, that were made from an image by this name."""
    shown = "{{.Image}} {{.Names}}"
    listed = subprocess.run(
        ["docker", "ps", "-a", "--format", shown], capture_output=True, text=True, check=True
    )
    rows = [line.split(" ", 1) for line in listed.stdout.splitlines()]
    return [name for of, name in rows if of == image]


def running_of(image: str) -> bool:
    """A container of an image by this name runs."""
    argv = ["docker", "ps", "--format", "{{.Image}}"]
    listed = subprocess.run(argv, capture_output=True, text=True, check=True)
    return image in listed.stdout.split()


@pytest.fixture
def sandbox_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sandbox]:
    """Makes a sandbox over real plugins, with these remote runners and further providers."""
    import tomllib

    monkeypatch.setenv("AGENT_SECRET", SECRET)
    journal = Journal.open(tmp_path / "state" / "journal.sqlite3")

    def made(runners: dict[str, RemoteRunner], **tables: dict[str, Any]) -> Sandbox:
        document = tomllib.loads(SETTINGS)
        document["providers"] |= tables
        config = parse_config(document)
        return Sandbox(partial(connect, config=config, journal=journal), runners=runners)

    return made


@pytest.fixture
def go_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The Go plugin of tests/interop, ready to be loaded by its name."""
    yield from installed(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Any]]]:
    """ECS behind MiniStack: an image whose containers are its own, and the configuration."""
    name = f"dayfly-test:ministack-{uuid.uuid4().hex[:8]}"
    subprocess.run(["docker", "tag", "dayfly-test:latest", name], check=True)
    log = tmp_path_factory.mktemp("ministack") / "log"
    with ministack(free_port(), log, token=SECRET) as url:
        references = {"ci/token": secret_arn("token")}
        quick = {"log_drain_seconds": 1}
        yield name, {"plugin": "aws", **settings(url), **quick, "secrets": references}
    subprocess.run(["docker", "rmi", name], check=True, capture_output=True)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with own_network() as there:
        yield there


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Agent]:
    with running_agent(tmp_path_factory.mktemp("agent"), network) as running:
        yield running
