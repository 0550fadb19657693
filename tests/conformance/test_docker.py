"""The docker provider keeps every promise, on a real engine."""

from __future__ import annotations

import os
import subprocess

import pytest

from dayfly.contract.identity import key_digest
from dayfly.testing import ProviderUnderTest, RunnerConformance

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(
        os.environ.get("DAYFLY_TEST_DOCKER") == "skip",
        reason="DAYFLY_TEST_DOCKER=skip: THE DOCKER PROVIDER IS NOT TESTED",
    ),
]


def _containers(key: str) -> list[str]:
    mine = f"label=dayfly.key={key_digest(key)}"
    listing = ["docker", "ps", "--all", "--filter", mine, "--format", "{{.Names}}"]
    return subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()


class TestDocker(RunnerConformance):
    provider = ProviderUnderTest(plugin="docker", image="dayfly-test:latest", resources=_containers)
