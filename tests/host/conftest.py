"""Plugins made on the spot: a manifest and a program in a directory of their own."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import pytest

from dayfly.host import InstalledPlugin, PluginProcess, find_plugin

RAW_PLUGIN = Path(__file__).parent / "raw_plugin.py"


class MakePlugin(Protocol):
    def __call__(self, script: str, **manifest: Any) -> InstalledPlugin: ...


@pytest.fixture
def plugins_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "plugins"
    directory.mkdir()
    monkeypatch.setenv("DAYFLY_PLUGINS_DIR", str(directory))
    return directory


@pytest.fixture
def make_plugin(plugins_dir: Path) -> MakePlugin:
    """Installs a shell script as a plugin."""

    def make(script: str, **manifest: Any) -> InstalledPlugin:
        document = {"name": "raw", "version": "1.2.3", "author": "a", "description": "d"}
        document |= manifest
        directory = plugins_dir / document["name"]
        directory.mkdir()
        (directory / "plugin.json").write_text(json.dumps(document))
        program = directory / document["name"]
        program.write_text(script)
        program.chmod(0o755)
        return find_plugin(document["name"])

    return make


@pytest.fixture
def raw_script() -> Any:
    """The program of the raw gRPC plugin in the modes given."""

    def script(*modes: str) -> str:
        return f"#!/bin/sh\nexec {sys.executable} {RAW_PLUGIN} {' '.join(modes)}\n"

    return script


@pytest.fixture
def raw(make_plugin: MakePlugin, raw_script: Any) -> Any:
    """The raw gRPC plugin, installed, in the modes given."""

    def make(*modes: str, **manifest: Any) -> InstalledPlugin:
        return make_plugin(raw_script(*modes), **manifest)

    return make


@pytest.fixture
def gone() -> Any:
    """Asserts that a plugin has left neither a process nor a directory."""

    def check(process: PluginProcess) -> None:
        assert process.popen.returncode is not None
        assert not process.socket_dir.exists()
        deadline = time.monotonic() + 2
        while members := _members(process.popen.pid):
            assert time.monotonic() < deadline, members
            time.sleep(0.01)

    return check


def _members(group: int) -> list[str]:
    """The group's living processes; a zombie is only waiting for its parent."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(process_group) == group and state != "Z":
            found.append(path.parent.name)
    return found
