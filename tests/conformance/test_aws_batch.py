"""The aws provider on Batch keeps the promises, with real containers behind moto."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.conformance.moto import GROUP, ROLE, make_queue, moto_server
from tests.conformance.stand_ins import CREDENTIALS, free_port

from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config
from dayfly.testing import ProviderUnderTest, RunnerConformance

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(300)]

PORT = free_port()
URL = f"http://127.0.0.1:{PORT}"
REGION = "us-east-1"
CONFIG = {
    "runner": "batch",
    "region": REGION,
    "endpoint_url": URL,
    "queue": "conformance",
    "execution_role": ROLE,
    "log_group": GROUP,
    "log_drain_seconds": 4,
    "log_settle_seconds": 0,
}

_FORGETS = "Batch itself forgets an ended job, about a week after its end; nothing removes it"
_LINES = "CloudWatch Logs keeps lines of text and not bytes"
_AFTERWARDS = "moto has the output of a job only after its end"
_EMPTY = "AWS takes no empty argument or value: it is refused, by name"

DEVIATIONS = {
    "nothing-is-left-after-rm": _FORGETS,
    "nothing-is-left-after-a-cancelled-job": _FORGETS,
    "delete-from-another-machine": _FORGETS,
    "argv-arrives-intact": _EMPTY,
    "environment-arrives": _EMPTY,
    "labels-are-kept": "AWS tags take no comma: the label is refused, by name",
    "timeout-stops-the-job": "Batch takes no timeout under a minute: it is refused, by name",
    "binary-output": f"{_LINES}: what is no UTF-8 is replaced",
    "no-newline-at-the-end": f"{_LINES}: each is read as one with its end",
    "a-line-of-one-mebibyte": f"{_LINES}: Docker cuts them at 16 KiB",
    "timestamps-change-no-byte": f"{_LINES}: the rule's output is binary",
    "user": "moto ignores it in a definition",
    "a-secret-is-nowhere-but-in-the-job": "moto gives a job no secrets",
    "a-missing-secret-stops-the-launch": "moto gives a job no secrets, and misses none",
    "a-missing-image-is-told": "moto gives no reason for a job that it could not start",
    "since-leaves-out-what-was-before": "moto forgets startTime when a page's token is used",
}
NOT_TRIED = {
    "a-job-outlives-its-plugin": _AFTERWARDS,
    "out-of-memory-is-told": "moto sets no limit, and the job would eat the machine's memory",
    "tail-gives-the-last-lines": "moto may store a job's last lines later than any drain",
    "cancel-after-the-plugin-was-killed": _AFTERWARDS,
    "cancel-while-running": _AFTERWARDS,
    "a-running-job-is-running": _AFTERWARDS,
    "output-is-live": _AFTERWARDS,
    "a-cancelled-task-cancels-the-job": _AFTERWARDS,
}


@pytest.fixture(scope="module", autouse=True)
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        log = tmp_path_factory.mktemp("moto") / "log"
        with moto_server(log, PORT, marker="-conformance"):
            asyncio.run(_prepare())
            yield


async def _prepare() -> None:
    aws = Aws(Config(region=REGION, endpoint_url=URL))
    try:
        await make_queue(aws, "conformance")
    finally:
        await aws.close()


class TestBatch(RunnerConformance):
    provider = ProviderUnderTest(
        plugin="aws",
        config=CONFIG,
        image="dayfly-test:latest",
        missing_secret=f"arn:aws:secretsmanager:{REGION}:123456789012:secret:nowhere",
        secret_reference=f"arn:aws:secretsmanager:{REGION}:123456789012:secret:dayfly",
        clock_seconds=1.0,
        seconds=40.0,
        deviations=DEVIATIONS,
        not_tried=NOT_TRIED,
    )
