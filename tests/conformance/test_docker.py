"""The docker provider keeps every promise, on a real engine."""

from __future__ import annotations

import json
import os

import httpx
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
    wanted = json.dumps({"label": [f"dayfly.key={key_digest(key)}"]})
    with httpx.Client(transport=httpx.HTTPTransport(uds="/var/run/docker.sock")) as engine:
        answer = engine.get(
            "http://engine/containers/json", params={"all": "true", "filters": wanted}
        )
        return [name for container in answer.json() for name in container["Names"]]


class TestDocker(RunnerConformance):
    provider = ProviderUnderTest(plugin="docker", image="dayfly-test:latest", resources=_containers)
