"""MiniStack: an AWS of a third party, whose ECS runs real containers."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.conformance.stand_ins import CREDENTIALS, serving

from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "us-east-1"
CLUSTER = "conformance"


def secret_arn(name: str) -> str:
    """MiniStack finds a secret by its ARN without the six characters that AWS appends."""
    return f"arn:aws:secretsmanager:{REGION}:000000000000:secret:{name}"


def settings(url: str) -> dict[str, Any]:
    """What the aws provider needs to run tasks there."""
    return {
        "region": REGION,
        "endpoint_url": url,
        "cluster": CLUSTER,
        "subnets": ["subnet-00000001"],
        "execution_role": "arn:aws:iam::000000000000:role/ecsTaskExecutionRole",
        "log_drain_seconds": 3,
        "log_settle_seconds": 0.2,
    }


@contextmanager
def ministack(port: int, log: Path, **secrets: str) -> Iterator[str]:
    """MiniStack with a cluster and these secrets; its credentials are in the environment."""
    url = f"http://127.0.0.1:{port}"
    env = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        # At its default a burst of tasks does not start on a slow engine.
        "MINISTACK_DOCKER_TIMEOUT": "120",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        argv = ["ministack/bin/python", "-m", "ministack"]
        with serving(argv, f"{url}/_ministack/health", env, log):
            call(url, "ecs", "CreateCluster", clusterName=CLUSTER)
            for name, value in secrets.items():
                call(url, "secretsmanager", "CreateSecret", Name=name, SecretString=value)
            yield url


def call(url: str, service: str, operation: str, **arguments: Any) -> None:
    """One request of AWS's own."""

    async def send() -> None:
        aws = Aws(Config(region=REGION, endpoint_url=url))
        try:
            await aws.call(service, operation, **arguments)
        finally:
            await aws.close()

    asyncio.run(send())
