"""The aws provider on ECS keeps the promises, with real containers behind MiniStack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.conformance.ministack import call, ministack, secret_arn, settings
from tests.conformance.stand_ins import free_port

from dayfly.testing import ProviderUnderTest, RunnerConformance

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(300)]

PORT = free_port()
URL = f"http://127.0.0.1:{PORT}"
NAME = "dayfly-conformance"

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
    "a-cancelled-job-may-clean-up": "MiniStack reports exit code 0 of every stopped task",
    "one-hundred-thousand-lines": "MiniStack loses lines of a burst",
}
NOT_TRIED = {
    "out-of-memory-is-told": "MiniStack sets no limit, and the job would eat the machine's memory",
}


def store(value: str) -> None:
    """Put the canary into MiniStack's Secrets Manager."""
    call(URL, "secretsmanager", "PutSecretValue", SecretId=NAME, SecretString=value)


@pytest.fixture(scope="module", autouse=True)
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    log = tmp_path_factory.mktemp("ministack") / "log"
    with ministack(PORT, log, **{NAME: "not yet"}):
        yield


class TestEcs(RunnerConformance):
    provider = ProviderUnderTest(
        plugin="aws",
        config=settings(URL),
        image="dayfly-test:latest",
        missing_image="localhost:1/dayfly/no-such-image:none",
        missing_secret=secret_arn("nowhere"),
        secret_reference=secret_arn(NAME),
        store_secret=store,
        clock_seconds=1.0,
        deviations=DEVIATIONS,
        not_tried=NOT_TRIED,
    )
