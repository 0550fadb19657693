"""A secret from a real keyring: the package ``keyring`` over a backend that keeps a file."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CANARY = "canary-in-a-keyring-4be1"


@pytest.fixture
def keyring(tmp_path):
    """Environment of a keyring of this test's own, which holds ``db/ada``."""
    env = {
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
    }
    store = "import keyring, sys; keyring.set_password('db', 'ada', sys.stdin.read())"
    subprocess.run(
        [sys.executable, "-c", store], env=os.environ | env, input=CANARY, text=True, check=True
    )
    return env


def test_a_secret_of_the_keyring_reaches_the_job_and_nothing_else(cli, keyring):
    # In capitals, so that the canary is in nothing but the job's own environment.
    printed = cli(
        *("run", "--keep", "--secret", "PASSWORD=keyring:db/ada", "--output", "json"),
        *("--", "sh", "-c", 'printf %s "$PASSWORD" | tr a-z A-Z >&2'),
        env=keyring,
    )
    assert printed.code == 0
    assert CANARY.upper() in printed.stderr
    assert CANARY not in printed.text + printed.stderr
    state = [file.read_bytes() for file in (cli.directory / "state").rglob("*") if file.is_file()]
    assert state
    assert not any(CANARY.encode() in data for data in state)


def test_what_the_keyring_lacks_is_told_with_what_to_do(cli, keyring):
    answer = cli("run", "--secret", "PASSWORD=keyring:db/nobody", "--", "true", env=keyring)
    assert answer.code == 125
    assert "secrets.PASSWORD could not be resolved: the keyring has no db/nobody" in answer.stderr
    assert "keyring set db nobody" in answer.stderr
