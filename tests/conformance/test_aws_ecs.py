"""The aws provider on ECS keeps the promises, with real containers behind MiniStack."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.conformance.stand_ins import CREDENTIALS, free_port, serving

from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config
from dayfly.testing import ProviderUnderTest, RunnerConformance

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(300)]

PORT = free_port()
URL = f"http://127.0.0.1:{PORT}"
REGION = "us-east-1"
#: MiniStack finds a secret by its ARN without the six characters that AWS appends.
SECRET = f"arn:aws:secretsmanager:{REGION}:000000000000:secret:dayfly-conformance"
CONFIG = {
    "region": REGION,
    "endpoint_url": URL,
    "cluster": "conformance",
    "subnets": ["subnet-00000001"],
    "execution_role": "arn:aws:iam::000000000000:role/ecsTaskExecutionRole",
    "log_drain_seconds": 3,
    "log_settle_seconds": 0.2,
}

_FORGETS = "ECS itself forgets a stopped task, about an hour after it stopped; nothing removes it"
_LINES = "awslogs keeps lines of text and not bytes"
_TOKEN = "MiniStack ignores clientToken, and starts a task for each call"
_IGNORED = "MiniStack ignores it in a definition"

DEVIATIONS = {
    "nothing-is-left-after-rm": _FORGETS,
    "nothing-is-left-after-a-cancelled-job": _FORGETS,
    "delete-from-another-machine": _FORGETS,
    "a-missing-image-is-told": _FORGETS,
    "a-line-of-one-mebibyte": f"{_LINES}: Docker cuts them at 16 KiB",
    "binary-output": f"{_LINES}: what is no UTF-8 is replaced",
    "no-newline-at-the-end": f"{_LINES}: each is read as one with its end",
    "timestamps-change-no-byte": f"{_LINES}: the rule's output is binary",
    "labels-are-kept": "AWS tags take no comma: the label is refused, by name",
    "same-key-three-times-is-one-job": _TOKEN,
    "same-key-at-the-same-time-is-one-job": _TOKEN,
    "same-key-after-the-end-is-the-ended-job": _TOKEN,
    "same-key-other-job-is-refused": _TOKEN,
    "any-allowed-key-is-taken": _TOKEN,
    "working-directory": _IGNORED,
    "user": _IGNORED,
    "entrypoint": _IGNORED,
    "out-of-memory-is-told": "MiniStack sets no limit to a container's memory",
    "a-cancelled-job-may-clean-up": "MiniStack reports exit code 0 of every stopped task",
    "one-hundred-thousand-lines": "MiniStack loses lines of a burst",
}


def store(value: str) -> None:
    """Put the canary into MiniStack's Secrets Manager."""

    async def put() -> None:
        aws = Aws(Config(region=REGION, endpoint_url=URL))
        name = SECRET.rsplit(":", maxsplit=1)[-1]
        try:
            await aws.call("secretsmanager", "PutSecretValue", SecretId=name, SecretString=value)
        finally:
            await aws.close()

    asyncio.run(put())


@pytest.fixture(scope="module", autouse=True)
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    env = {
        "GATEWAY_PORT": str(PORT),
        "BIND_HOST": "127.0.0.1",
        # At its default a burst of tasks does not start on a slow engine.
        "MINISTACK_DOCKER_TIMEOUT": "120",
    }
    log = tmp_path_factory.mktemp("ministack") / "log"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        argv = ["ministack/bin/python", "-m", "ministack"]
        with serving(argv, f"{URL}/_ministack/health", env, log):
            asyncio.run(_prepare())
            yield


async def _prepare() -> None:
    aws = Aws(Config(region=REGION, endpoint_url=URL))
    try:
        await aws.call("ecs", "CreateCluster", clusterName=CONFIG["cluster"])
        name = SECRET.rsplit(":", maxsplit=1)[-1]
        await aws.call("secretsmanager", "CreateSecret", Name=name, SecretString="not yet")
    finally:
        await aws.close()


class TestEcs(RunnerConformance):
    provider = ProviderUnderTest(
        plugin="aws",
        config=CONFIG,
        image="dayfly-test:latest",
        missing_image="localhost:1/dayfly/no-such-image:none",
        missing_secret=f"arn:aws:secretsmanager:{REGION}:000000000000:secret:nowhere",
        secret_reference=SECRET,
        store_secret=store,
        clock_seconds=1.0,
        deviations=DEVIATIONS,
    )
