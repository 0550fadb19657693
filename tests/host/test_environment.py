"""Which variables reach a plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.contract.errors import InvalidField
from dayfly.host import spawn
from dayfly.host.environment import PYTHON, plugin_environment

HERE = Path("/run/x")


def test_only_what_is_allowed_is_inherited():
    source = {"PATH": "/bin", "LC_ALL": "C", "XDG_DATA_HOME": "/d", "AWS_KEY": "k", "MY_A": "1"}
    found = plugin_environment(["MY_*"], socket_dir=HERE, source=source)
    assert found.keys() & source.keys() == source.keys() - {"AWS_KEY"}


def test_the_handshakes_variables_are_the_hosts_own():
    source = {
        "WORKFLOW_PLUGIN": "x",
        "PLUGIN_PROTOCOL_VERSIONS": "9",
        "PLUGIN_UNIX_SOCKET_DIR": "/x",
        "PLUGIN_CLIENT_CERT": "x",
    }
    assert plugin_environment(["P*", "W*"], socket_dir=HERE, source=source) == {
        "WORKFLOW_PLUGIN": "workflow-external-plugin-v1",
        "PLUGIN_MIN_PORT": "10000",
        "PLUGIN_MAX_PORT": "25000",
        "PLUGIN_PROTOCOL_VERSIONS": "1",
        "PLUGIN_UNIX_SOCKET_DIR": "/run/x",
    }


def test_pwd_is_where_the_caller_is():
    found = plugin_environment(["PWD"], socket_dir=HERE, source={"PWD": "/stale"})
    assert found["PWD"] == str(Path.cwd())
    assert "PWD" not in plugin_environment([], socket_dir=HERE, source={"PWD": "/stale"})


def test_a_relative_pythonpath_stays_true_in_another_directory():
    found = plugin_environment(PYTHON, socket_dir=HERE, source={"PYTHONPATH": "src:/lib"})
    assert found["PYTHONPATH"] == f"{Path.cwd()}/src:/lib"


@pytest.mark.parametrize("name", ["*", "", "A=B", "PLUGIN_*", "A\0"])
def test_spawn_never_hands_out_everything(make_plugin, name):
    plugin = make_plugin("#!/bin/sh\n")
    with pytest.raises(InvalidField) as caught:
        spawn(plugin, pass_env=("GOOD", name))
    assert caught.value.field == "pass_env[1]"
