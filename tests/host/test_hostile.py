"""A plugin with the worst of manners neither stops its host nor fills its memory.

The host is a process of its own, so that its memory is its alone.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

#: A host that loads a plugin and runs a job has about 45 MiB.
SMALL = 110
#: The largest message that is taken is there as gRPC's buffer, as bytes and as a value.
ONE_MESSAGE = 170

BAD_HANDLE = ".* its answer is wrong: the handle is 104857.*"
TOO_LARGE = (
    "ProviderFailed: asking plugin 'raw' .*: its answer is over the limit of 32 MiB .*104857.*"
)


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
        ("stdio-one-message", "until_told", "answered", SMALL),
        ("stdio-strange-channel", "until_told", "answered", SMALL),
        ("answer", "classic_status", TOO_LARGE, SMALL),
        ("answer", "status", TOO_LARGE, SMALL),
        ("answer", "describe", TOO_LARGE, SMALL),
        ("log-chunk", "classic_logs", TOO_LARGE, SMALL),
        ("log-chunk-within", "classic_logs", str(31 * 2**20), ONE_MESSAGE),
        ("handle", "run_job", BAD_HANDLE, SMALL + 20),
        ("handle", "submit", BAD_HANDLE, SMALL + 20),
        ("after-eof", "classic_logs", "4", SMALL),
        ("after-eof", "follow", "4", SMALL),
        ("state", "classic_status", "UNKNOWN None", SMALL),
        ("state", "status", "UNKNOWN None", SMALL),
    ],
    ids=lambda value: value if re.fullmatch("[a-z_-]+", str(value)) else "",
)
def test_it_is_borne(host, mode, action, seen, peak_mib):
    came = host(mode, action)
    assert re.fullmatch(seen, came["seen"], re.DOTALL), came["seen"]
    assert came["peak_mib"] < peak_mib
