"""What Batch refuses, and what is made of it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from tests.providers.aws.batch.test_request import CONFIG, SPEC

from dayfly.contract.errors import (
    Conflict,
    InvalidField,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from dayfly.contract.jobs import JobHandle, JobTarget, Submission, TargetMode
from dayfly.providers.aws.batch.runner import BatchRunner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dayfly.providers.aws.client import Aws

HANDLE = JobHandle(id="00000000-0000-0000-0000-000000000000", metadata={"region": CONFIG.region})
DEFINITION = "arn:aws:batch:us-east-1:123456789012:job-definition/dayfly-0:{}"


@pytest.fixture
async def answers() -> AsyncIterator[dict[str, Any]]:
    """By operation: what is answered, or AWS's code and words; ``url`` is where."""
    given: dict[str, Any] = {
        "describeloggroups": {"logGroups": [{"logGroupName": CONFIG.log_group}]}
    }

    async def handle(request: web.BaseRequest) -> web.Response:
        target = request.headers.get("X-Amz-Target", request.path).lower()
        answer = given[target.replace(".", "/").rsplit("/", maxsplit=1)[-1]]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, dict):
            return web.json_response(answer)
        code, words = answer
        return web.json_response({"message": words}, status=400, headers={"x-amzn-ErrorType": code})

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    given["url"] = f"http://{host}:{port}"
    yield given
    await runner.cleanup()


def batch(answers: dict[str, Any], make_aws: Callable[..., Aws]) -> BatchRunner:
    config = replace(CONFIG, endpoint_url=answers["url"])
    return BatchRunner(make_aws(endpoint_url=answers["url"], region=CONFIG.region), config)


async def test_a_failure_is_as_it_is_and_in_no_group(
    answers: dict[str, Any], make_aws: Callable[..., Aws]
) -> None:
    """Looks at many are made together, and one error comes of them."""
    runner = batch(answers, make_aws)
    answers["describejobs"] = ("AccessDeniedException", "no")
    with pytest.raises(PermissionDenied):
        await runner.statuses([HANDLE])
    with pytest.raises(PermissionDenied):
        await runner.cancel(HANDLE)


@pytest.mark.parametrize(("found_later", "kind"), [(1, InvalidField), (2, Conflict)])
async def test_only_a_definition_that_is_gone_is_worth_another_try(
    answers: dict[str, Any],
    make_aws: Callable[..., Aws],
    found_later: int,
    kind: type[Exception],
) -> None:
    answers["listjobs"] = {"jobSummaryList": []}
    answers["submitjob"] = ("ClientException", "The job definition does not fit its platform")
    answers["describejobdefinitions"] = [
        {
            "jobDefinitions": [
                {"jobDefinitionArn": DEFINITION.format(n), "revision": n, "status": "ACTIVE"}
            ]
        }
        for n in (1, found_later)
    ]
    answers["describejobs"] = {"jobs": []}
    with pytest.raises(kind, match="does not fit"):
        await batch(answers, make_aws).submit(Submission(spec=SPEC, key="k"))


async def test_a_variable_that_the_definition_takes_from_a_secret_is_refused(
    answers: dict[str, Any], make_aws: Callable[..., Aws]
) -> None:
    answers["listjobs"], answers["describejobs"] = {"jobSummaryList": []}, {"jobs": []}
    container = {"secrets": [{"name": "DB", "valueFrom": "arn"}]}
    answers["describejobdefinitions"] = {
        "jobDefinitions": [
            {
                "jobDefinitionArn": DEFINITION.format(1), "revision": 1, "status": "ACTIVE",
                "containerProperties": container,
            }
        ]
    }  # fmt: skip
    target = JobTarget(mode=TargetMode.ATTACHED_RUN, name="theirs")
    spec = replace(SPEC, image="", env={"DB": "x"}, target=target)
    with pytest.raises(InvalidField) as caught:
        await batch(answers, make_aws).submit(Submission(spec=spec, key="k"))
    assert caught.value.field == "env.DB"


async def test_a_job_too_new_to_be_seen_is_not_told_to_be_missing(
    answers: dict[str, Any], make_aws: Callable[..., Aws]
) -> None:
    runner = batch(answers, make_aws)
    answers["describejobs"] = {"jobs": []}
    young = replace(HANDLE, metadata={**HANDLE.metadata, "created": str(int(time.time() * 1000))})
    with pytest.raises(Unavailable, match="not visible at Batch yet"):
        await runner.cancel(young)
    with pytest.raises(NotFound):
        await runner.cancel(HANDLE)
