"""An environment without anybody's own AWS settings, and who answers instead of AWS."""

from __future__ import annotations

import functools
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import pytest
from aiohttp import web
from botocore.loaders import JSONFileLoader
from tests.emulators.aws import Emulator
from tests.emulators.aws.calls import read_call
from tests.emulators.aws.errors import ApiError

from dayfly.contract.errors import InvalidField
from dayfly.providers.aws.client import Aws
from dayfly.providers.aws.config import Config
from dayfly.providers.aws.models import check_params

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.emulators.aws.calls import Call

REGION = "eu-west-1"


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Each session reads the services' models anew, which is most of what these tests compute."""
    read = functools.cache(JSONFileLoader().load_file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda self, path: read(path))
        yield


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keys that any stand-in takes, and configuration files of the test's own."""
    for name in os.environ:
        if name.startswith(("AWS_", "BOTO")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example-key")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator() as running:
        yield running
    assert running.violations == []


@pytest.fixture
async def make_aws() -> AsyncIterator[Callable[..., Aws]]:
    """A client for settings, such as ``make_aws(endpoint_url=url)``."""
    made: list[Aws] = []

    def make(**settings: Any) -> Aws:
        aws = Aws(Config(**({"region": REGION} | settings)))
        made.append(aws)
        return aws

    yield make
    for aws in made:
        await aws.close()


class Scripted:
    """Answers each operation with what a test gives for it, on the wire of its service.

    Attributes:
        answers: By ``ec2.DescribeSubnets``: members, an ApiError, a whole response, or what
            makes one of them of the call.
        calls: How often each was called.
        violations: Requests that do not fit the model of their service.
        url: Where it listens.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.calls: Counter[str] = Counter()
        self.violations: list[str] = []
        self.url = ""
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = read_call(request.headers, await request.read())
        self.calls[call.name] += 1
        try:
            check_params(call.service, call.operation, call.parameters())
        except InvalidField as error:
            self.violations.append(error.message)
        answer = self.answers[call.name]
        return self._written(call, answer(call) if callable(answer) else answer)

    def _written(self, call: Call, answer: Any) -> web.StreamResponse:
        if isinstance(answer, web.StreamResponse):
            return answer
        status = 200
        if isinstance(answer, ApiError):
            status = answer.status
            body, kind = call.error(answer, "request")
        else:
            body, kind = call.answer(answer, "request")
        return web.Response(body=body, status=status, headers={"Content-Type": kind})


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    async with Scripted() as running:
        yield running
    assert running.violations == []
