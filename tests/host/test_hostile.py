"""A plugin with the worst of manners neither stops its host nor fills its memory.

The host is a process of its own, so that its memory is its alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

#: A host that loads a plugin and runs a job has about 45 MiB.
SMALL = 110
#: A message of 100 MiB is there as gRPC's buffer, as bytes and as a value.
ONE_MESSAGE = 420

BAD_HANDLE = "its answer is wrong: the handle is 104857"


@pytest.fixture
def host(make_plugin, tmp_path):
    def play(mode, action):
        make_plugin(f"#!/bin/sh\nexec {sys.executable} {HERE / 'hostile_plugin.py'} {mode}\n")
        done = subprocess.run(
            [sys.executable, HERE / "hostile_host.py", action, tmp_path],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return play


@pytest.mark.parametrize(
    ("mode", "action", "seen", "peak_mib"),
    [
        ("endless-stderr", "ask_for_a_while", "answered", SMALL),
        ("endless-stdout", "ask_for_a_while", "answered", SMALL),
        ("stdio-gigabyte", "until_told", "answered", SMALL),
        ("stdio-one-message", "until_told", "answered", ONE_MESSAGE),
        ("stdio-strange-channel", "until_told", "answered", SMALL),
        ("answer", "classic_status", "FAILED 3", ONE_MESSAGE),
        ("answer", "status", "FAILED None", ONE_MESSAGE),
        ("answer", "describe", "raw", ONE_MESSAGE),
        ("log-chunk", "classic_logs", str(100 * 2**20), ONE_MESSAGE),
        ("handle", "run_job", BAD_HANDLE, SMALL + 20),
        ("handle", "submit", BAD_HANDLE, SMALL + 20),
        ("after-eof", "classic_logs", "4", SMALL),
        ("after-eof", "follow", "4", SMALL),
        ("state", "classic_status", "UNKNOWN None", SMALL),
        ("state", "status", "UNKNOWN None", SMALL),
    ],
)
def test_it_is_borne(host, mode, action, seen, peak_mib):
    came = host(mode, action)
    assert seen in came["seen"] if seen == BAD_HANDLE else seen == came["seen"]
    assert came["peak_mib"] < peak_mib
