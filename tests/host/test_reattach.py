"""A plugin that a person started, in a debugger say, is used as it is and left alone."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dayfly.contract.errors import FailedPrecondition, InvalidField, ProviderFailed
from dayfly.host import PluginRegistry, connect, find_plugin, spawn
from dayfly.host.config import parse_config

SCRIPT = Path(__file__).with_name("debugged_plugin.py")
DAYFLY = Path(sys.executable).with_name("dayfly")
TWO = {"providers": {"one": {"plugin": "raw", "a": 1}, "two": {"plugin": "raw"}}}


@pytest.fixture
def installed(make_plugin):
    """A plugin whose own program must not be started."""
    return make_plugin("#!/bin/sh\necho started >&2\nexit 9\n")


@pytest.fixture
def by_hand(monkeypatch):
    """Starts a plugin in debug mode; the environment names it from then on, as it said."""
    started = []

    def start(*argv):
        process = subprocess.Popen(
            [sys.executable, "-P", *argv, "--debug"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        exported = ""
        while not exported:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            exported = line.strip() if "export" in line else ""
        (assignment,) = shlex.split(exported.removeprefix("export "))
        name, _, value = assignment.partition("=")
        monkeypatch.setenv(name, value)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def debugged(installed, by_hand):
    """The plugin, started by hand."""
    return by_hand(SCRIPT)


async def configured(plugin):
    (region,) = await plugin.services.regions.list_regions("")
    return int(region.name)


async def test_it_is_used_and_left_running(debugged):
    for count in (1, 2):
        async with connect(spawn(find_plugin("raw"))) as plugin:
            assert plugin.pid == debugged.pid
            assert await configured(plugin) == count
    assert debugged.poll() is None
    assert [debugged.stdout.readline() for _ in range(4)][-2:] == [
        "configured 1\n",
        "configured 2\n",
    ]


def test_ctrl_c_ends_it_and_removes_its_socket(debugged):
    entry = json.loads(os.environ["DAYFLY_REATTACH_PLUGINS"])["raw"]
    assert Path(entry["Addr"]["String"]).exists()
    debugged.send_signal(signal.SIGINT)
    assert debugged.wait(10) == 0
    assert not Path(entry["Addr"]["String"]).parent.exists()
    with pytest.raises(FailedPrecondition, match=r"does not listen at .* any more"):
        spawn(find_plugin("raw"))


async def test_its_death_in_the_middle_is_told(debugged):
    async with connect(spawn(find_plugin("raw"))) as plugin:
        debugged.kill()
        debugged.wait(5)
        with pytest.raises(ProviderFailed, match=rf"pid {debugged.pid}\) closed its socket"):
            await configured(plugin)
        assert not plugin.alive


async def test_it_serves_one_configuration_at_a_time(debugged):
    async with PluginRegistry(parse_config(TWO)) as registry:
        await registry.plugin("one")
        with pytest.raises(FailedPrecondition, match=r"for configuration 'one'.* serve 'two'"):
            await registry.plugin("two")
        assert await configured(await registry.plugin("one")) == 1
    async with PluginRegistry(parse_config(TWO)) as registry:
        assert await configured(await registry.plugin("two")) == 2


async def test_other_plugins_are_started_as_ever(debugged, make_plugin, raw_script):
    make_plugin(raw_script(), name="other")
    async with connect(spawn(find_plugin("other"))) as plugin:
        assert plugin.pid != debugged.pid
        assert (await plugin.services.submitter.describe()).provider == "raw"


def dayfly(tmp_path, *argv):
    return subprocess.run(
        [DAYFLY, *argv],
        env={**os.environ, "DAYFLY_STATE_DIR": str(tmp_path / "state")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_one_command_after_another_uses_it(by_hand, tmp_path):
    plugin = by_hand("-m", "dayfly.providers.local")
    for code in (0, 4):
        done = dayfly(tmp_path, "run", "--", "sh", "-c", f"echo out; exit {code}")
        assert (done.returncode, done.stdout) == (code, "out\n"), done.stderr
    assert plugin.poll() is None


def test_the_conformance_kit_takes_none_that_it_cannot_start_and_kill(debugged, tmp_path):
    done = dayfly(tmp_path, "conformance", "raw")
    assert done.returncode == 125
    assert done.stderr.splitlines()[0] == (
        "dayfly: DAYFLY_REATTACH_PLUGINS names a running 'raw', and the kit starts and kills the "
        "plugin that it tests"
    )
    assert debugged.poll() is None


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "allowed: "),
        ("[]", "allowed: "),
        ('{"raw": 1}', r"\['raw'\]"),
        ('{"raw": {"Protocol": "grpc", "Pid": "1", "Addr": {}}}', r"\['raw'\]"),
        (
            '{"raw": {"Protocol": "grpc", "Pid": 0, "Addr": {"Network": "unix", "String": "/s"}}}',
            r"\['raw'\]",
        ),
        (
            '{"raw": {"Protocol": "odd", "Pid": 1, "Addr": {"Network": "unix", "String": "/s"}}}',
            "odd",
        ),
        (
            '{"raw": {"Protocol": "grpc", "Pid": 1, "Addr": {"Network": "tcp", "String": "/s"}}}',
            "tcp",
        ),
    ],
)
def test_a_wrong_value_is_refused(installed, monkeypatch, document, said):
    monkeypatch.setenv("DAYFLY_REATTACH_PLUGINS", document)
    with pytest.raises(InvalidField, match=said):
        spawn(installed)


def test_a_process_that_is_gone_is_refused(installed, monkeypatch, tmp_path):
    done = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    address = {"Network": "unix", "String": str(tmp_path)}
    entry = {"Protocol": "grpc", "Pid": int(done.stdout), "Addr": address}
    monkeypatch.setenv("DAYFLY_REATTACH_PLUGINS", json.dumps({"raw": entry}))
    with pytest.raises(FailedPrecondition, match=f"names process {int(done.stdout)}"):
        spawn(installed)


def test_a_variable_starts_it_in_debug_mode_too(short_wait):
    out = short_wait({"DAYFLY_DEBUG_PLUGIN": "1"})
    assert re.search(r"export DAYFLY_REATTACH_PLUGINS='\{\"raw\": ", out)


def test_a_host_that_debugs_itself_gets_a_plain_plugin(short_wait):
    cookie = {"WORKFLOW_PLUGIN": "workflow-external-plugin-v1", "DAYFLY_DEBUG_PLUGIN": "1"}
    assert short_wait(cookie).startswith("1|1|unix|/")


@pytest.fixture
def short_wait():
    """What the plugin prints first in an environment."""

    def run(environment):
        process = subprocess.Popen(
            [sys.executable, SCRIPT],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            out = process.stdout.readline()
            deadline = time.monotonic() + 5
            while "|" not in out and "export" not in out and time.monotonic() < deadline:
                out += process.stdout.readline()
            return out
        finally:
            process.kill()
            process.communicate()

    return run
