"""Every way to fail, by a real client and a real socket, in dayfly's errors."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any

import botocore.exceptions
import pytest
from aiohttp import web
from tests.emulators.aws.errors import ApiError

from dayfly.contract.errors import (
    AlreadyExists,
    Conflict,
    DayflyError,
    FailedPrecondition,
    InvalidField,
    NotFound,
    PermissionDenied,
    ProviderFailed,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from dayfly.contract.jobs import Reason
from dayfly.providers.aws import way
from dayfly.providers.aws.errors import field_in
from dayfly.providers.aws.way import from_botocore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.emulators.aws import Emulator

    from dayfly.providers.aws.client import Aws

    from .conftest import Scripted

CODES: dict[type[DayflyError], str] = {
    Throttled: "Throttling ThrottlingException ThrottledException RequestThrottled "
    "RequestThrottledException TooManyRequestsException RequestLimitExceeded "
    "BandwidthLimitExceeded PriorRequestNotComplete SlowDown",
    Unauthenticated: "ExpiredToken ExpiredTokenException UnrecognizedClientException "
    "InvalidClientTokenId InvalidSignatureException SignatureDoesNotMatch IncompleteSignature "
    "MissingAuthenticationToken AuthFailure RequestExpired NotAuthorized",
    PermissionDenied: "AccessDenied AccessDeniedException UnauthorizedOperation BlockedException "
    "OptInRequired",
    Unavailable: "ServerException InternalFailure InternalError InternalServerError "
    "InternalServiceError ServiceUnavailable ServiceUnavailableException RequestTimeout "
    "RequestTimeoutException",
    NotFound: "ClusterNotFoundException ResourceNotFoundException ParameterNotFound NoSuchEntity "
    "NoSuchEntityException InvalidSubnetID.NotFound InvalidGroup.NotFound",
    InvalidField: "ClientException InvalidParameterException InvalidParameterValue "
    "ValidationException ValidationError UnsupportedFeatureException PlatformUnknownException "
    "PlatformTaskDefinitionIncompatibilityException InvalidSubnetID.Malformed "
    "InvalidSubnetId.Malformed InvalidGroupId.Malformed",
    Conflict: "OperationAbortedException ResourceInUseException UpdateInProgressException",
    AlreadyExists: "ResourceAlreadyExistsException ConflictException",
    FailedPrecondition: "LimitExceededException",
    ProviderFailed: "NobodyEverSawThisException",
}


async def failure(aws: Aws, service: str = "ecs", operation: str = "ListTasks") -> DayflyError:
    with pytest.raises(DayflyError) as caught:
        await aws.call(service, operation)
    # What it comes from is kept for whoever debugs.
    assert caught.value.__cause__ is not None
    return caught.value


@pytest.mark.parametrize(
    # Calls without a pace: a throttled one would slow the rest down.
    ("service", "operation"),
    [("ecs", "ListClusters"), ("ec2", "DescribeRegions")],
)
async def test_every_code(
    service: str, operation: str, scripted: Scripted, make_aws: Callable[..., Aws]
) -> None:
    aws = make_aws(endpoint_url=scripted.url)
    expected = {code: kind for kind, codes in CODES.items() for code in codes.split()}
    seen = {}
    for code in expected:
        scripted.answers[f"{service}.{operation}"] = ApiError(code, "in AWS's own words")
        error = await failure(aws, service, operation)
        seen[code] = type(error)
        assert error.message == f"{service}:{operation}: AWS answered {code}: in AWS's own words"
    assert seen == expected
    # One request each: botocore's own retries are off.
    assert scripted.calls.total() == len(expected)


@pytest.mark.parametrize(
    ("status", "kind"), [(500, Unavailable), (503, Unavailable), (404, ProviderFailed)]
)
async def test_an_error_page_of_somebody_else(
    status: int, kind: type[DayflyError], scripted: Scripted, make_aws: Callable[..., Aws]
) -> None:
    page = web.Response(status=status, text="<html>busy</html>", content_type="text/html")
    scripted.answers["ecs.ListTasks"] = page
    assert type(await failure(make_aws(endpoint_url=scripted.url))) is kind


@pytest.mark.parametrize(
    ("fault", "kind", "advice"),
    [
        ("expired", Unauthenticated, "aws sso login"),
        ("bad_credentials", Unauthenticated, "AWS_PROFILE"),
        ("denied", PermissionDenied, "Allow {service}:{operation}"),
        ("throttled", Throttled, ""),
        ("server_error", Unavailable, ""),
    ],
)
@pytest.mark.parametrize(
    ("service", "operation"),
    [("ecs", "ListTasks"), ("logs", "DescribeLogGroups"), ("ec2", "DescribeSubnets")],
)
async def test_as_each_service_words_it(
    *,
    fault: str,
    kind: type[DayflyError],
    advice: str,
    service: str,
    operation: str,
    emulator: Emulator,
    make_aws: Callable[..., Aws],
) -> None:
    emulator.change(faults=[{"kind": fault}])
    error = await failure(make_aws(endpoint_url=emulator.url), service, operation)
    assert type(error) is kind
    assert advice.format(service=service, operation=operation) in error.advice


async def test_a_role_that_may_not_be_passed(
    scripted: Scripted, make_aws: Callable[..., Aws]
) -> None:
    scripted.answers["ecs.ListTasks"] = ApiError(
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:PassRole on "
        "resource: arn:aws:iam::123456789012:role/jobs because no identity-based policy allows "
        "the iam:PassRole action",
    )
    error = await failure(make_aws(endpoint_url=scripted.url))
    assert type(error) is PermissionDenied
    assert error.field == "execution_role"
    assert "iam:PassRole" in error.advice


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("TaskDefinition is inactive", Conflict),
        ("The referenced cluster was inactive.", InvalidField),
    ],
)
async def test_a_definition_that_was_pruned_meanwhile(
    words: str, kind: type[DayflyError], scripted: Scripted, make_aws: Callable[..., Aws]
) -> None:
    scripted.answers["ecs.ListTasks"] = ApiError("ClientException", words)
    assert type(await failure(make_aws(endpoint_url=scripted.url))) is kind


@pytest.mark.parametrize(
    ("words", "kind", "reason"),
    [
        (
            "Too many concurrent attempts to create a new revision of the specified family.",
            Conflict,
            None,
        ),
        (
            "You've reached the limit on the number of vCPUs you can run concurrently",
            Unavailable,
            Reason.NO_CAPACITY,
        ),
        (
            "Capacity is unavailable at this time. Please try again later",
            Unavailable,
            Reason.NO_CAPACITY,
        ),
        (
            "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:PassRole",
            PermissionDenied,
            None,
        ),
    ],
)
async def test_what_a_client_exception_says_counts(
    words: str,
    kind: type[DayflyError],
    reason: Reason | None,
    scripted: Scripted,
    make_aws: Callable[..., Aws],
) -> None:
    """ECS has one code for what is wrong and for what passes."""
    scripted.answers["ecs.ListTasks"] = ApiError("ClientException", words)
    error = await failure(make_aws(endpoint_url=scripted.url))
    assert (type(error), error.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("The subnet ID 'subnet-1' does not exist", "subnets"),
        ("The security group 'sg-1' does not exist", "security_groups"),
        ('Invalid id: "sg-0a"', "security_groups"),
        ("Cluster not found.", "cluster"),
        ("Role is not valid for execution role", "execution_role"),
        ("Invalid taskRole arn", "task_role"),
        ("The specified log group does not exist.", "log_group"),
        ("Job queue jobs does not exist", "queue"),
        ("The specified capacity provider was not found.", "launch_type"),
        ("assignPublicIp is not supported", "assign_public_ip"),
        ("Invalid valueFrom", "secrets"),
        ("Container Overrides length must be at most 8192", "command"),
        ("Invalid 'memory' setting for task.", "resources.memory_mib"),
        ("Invalid 'cpu' setting for task.", "resources.cpus"),
        ("Unable to describe task definition", "target.name"),
        ("Invalid image", "image"),
        ("Tags can not have empty keys", "labels"),
        ("Something else", ""),
        # None of them is in the middle of another word.
        ("The storage was tagged by cpuset", ""),
    ],
)
def test_the_field_that_aws_complains_of(words: str, field: str) -> None:
    assert field_in(words) == field


async def test_without_a_region(make_aws: Callable[..., Aws]) -> None:
    aws = make_aws(region="")
    error = await failure(aws)
    assert (type(error), error.field) == (InvalidField, "region")
    with pytest.raises(InvalidField, match="region"):
        await aws.region()


@pytest.mark.parametrize("configured", [True, False])
async def test_a_region_that_is_none(
    configured: bool, make_aws: Callable[..., Aws], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "xx-nowhere-9")
    error = await failure(make_aws(region="xx-nowhere-9" if configured else ""))
    assert (type(error), error.field) == (InvalidField, "region")
    assert "list-regions" in error.advice


async def test_a_host_that_is_not_there_is_no_wrong_region(make_aws: Callable[..., Aws]) -> None:
    aws = make_aws(region="xx-nowhere-9", endpoint_url="http://nowhere.invalid")
    assert type(await failure(aws)) is Unavailable


async def test_a_region_of_another_partition_is_known(
    make_aws: Callable[..., Aws], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The name cannot be resolved beyond this proxy, as in a network without a way out.
    monkeypatch.setenv("HTTPS_PROXY", "http://nowhere.invalid:1")
    assert type(await failure(make_aws(region="cn-north-1"))) is Unavailable


@pytest.mark.parametrize(
    ("environment", "kind", "field"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, Unauthenticated, ""),
        ({"AWS_SECRET_ACCESS_KEY": ""}, Unauthenticated, ""),
        ({"AWS_PROFILE": "gone"}, InvalidField, "profile"),
        ({"AWS_PROFILE": "chain"}, InvalidField, "profile"),
        ({"AWS_PROFILE": "sso"}, Unauthenticated, ""),
        ({"AWS_PROFILE": "session"}, Unauthenticated, ""),
        ({"AWS_PROFILE": "fails"}, Unauthenticated, ""),
        ({"AWS_PROFILE": "babbles"}, Unauthenticated, ""),
        ({"AWS_PROFILE": "web"}, FailedPrecondition, ""),
        ({"AWS_PROFILE": "wrong-region"}, InvalidField, "region"),
        ({"AWS_ENDPOINT_URL_ECS": "nonsense"}, InvalidField, "endpoint_url"),
        ({"AWS_CA_BUNDLE": "/nowhere"}, FailedPrecondition, ""),
    ],
)
async def test_what_aws_s_own_settings_have_wrong(
    *,
    environment: dict[str, str],
    kind: type[DayflyError],
    field: str,
    make_aws: Callable[..., Aws],
    monkeypatch: pytest.MonkeyPatch,
    aws_environment: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (aws_environment / "config").write_text(PROFILES)
    if "AWS_PROFILE" in environment:
        # A key in the environment would come first.
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    region = "" if environment.get("AWS_PROFILE") == "wrong-region" else "eu-west-1"
    error = await failure(make_aws(region=region))
    assert (type(error), error.field) == (kind, field)
    assert error.advice
    # No traceback is logged of what comes back as an error.
    assert not caplog.records


PROFILES = """
[profile chain]
role_arn = arn:aws:iam::123456789012:role/jobs
source_profile = gone
[profile sso]
sso_start_url = https://example.invalid
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = jobs
[profile session]
sso_session = mine
sso_account_id = 123456789012
sso_role_name = jobs
[sso-session mine]
sso_start_url = https://example.invalid
sso_region = eu-west-1
[profile fails]
credential_process = false
[profile babbles]
credential_process = echo nonsense
[profile web]
role_arn = arn:aws:iam::123456789012:role/jobs
web_identity_token_file = /nowhere
[profile wrong-region]
region = no region
"""


async def test_a_configuration_file_that_cannot_be_read(
    make_aws: Callable[..., Aws], aws_environment: Path
) -> None:
    (aws_environment / "config").write_text("[profile")
    error = await failure(make_aws())
    assert (type(error), error.field) == (InvalidField, "profile")


async def test_credentials_that_come_over_a_net_that_is_down(
    make_aws: Callable[..., Aws], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{free_port()}/")
    assert type(await failure(make_aws())) is Unavailable


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def test_a_refused_connection_was_not_carried_out(make_aws: Callable[..., Aws]) -> None:
    error = await failure(make_aws(endpoint_url=f"http://127.0.0.1:{free_port()}"))
    assert type(error) is Unavailable
    assert "may have" not in error.message


class Peer:
    """Reads a request, answers with bytes, and closes."""

    def __init__(self, answer: bytes, *, reset: bool = False) -> None:
        self._answer, self._reset = answer, reset

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self._answer)
        if self._reset:
            option = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
            writer.transport.abort()
            return
        await writer.drain()
        writer.close()


def answer(body: bytes, *, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, body)


@pytest.mark.parametrize(
    ("peer", "operation"),
    [
        pytest.param(Peer(b""), "ecs.ListTasks", id="closed"),
        pytest.param(Peer(b"", reset=True), "ecs.ListTasks", id="reset"),
        pytest.param(Peer(answer(b"{}", length=9)), "ecs.ListTasks", id="cut"),
        pytest.param(Peer(b"SSH-2.0-OpenSSH\r\n"), "ecs.ListTasks", id="no HTTP"),
        pytest.param(Peer(answer(b"hello")), "ec2.DescribeRegions", id="no XML"),
        pytest.param(Peer(answer(b"<html/>")), "sts.GetCallerIdentity", id="other XML"),
    ],
)
async def test_an_answer_that_was_lost_may_have_been_carried_out(
    peer: Peer, operation: str, make_aws: Callable[..., Aws]
) -> None:
    async with peer as url:
        error = await failure(make_aws(endpoint_url=url), *operation.split("."))
    assert type(error) is Unavailable
    assert error.message.endswith("(AWS may have carried it out)")


async def test_no_answer_in_time_may_have_been_carried_out(emulator: Emulator) -> None:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

    emulator.change(faults=[{"kind": "hang", "seconds": 5}])
    settings = AioConfig(read_timeout=0.2, retries={"total_max_attempts": 1})
    client = AioSession().create_client(
        "ecs", region_name="eu-west-1", endpoint_url=emulator.url, config=settings
    )
    async with client as ecs:
        with pytest.raises(botocore.exceptions.ReadTimeoutError) as caught:
            await ecs.list_tasks()
    error = from_botocore(caught.value, "listing")
    assert type(error) is Unavailable
    assert error.message.endswith("(AWS may have carried it out)")


async def test_a_certificate_that_nobody_knows(make_aws: Callable[..., Aws]) -> None:
    import ssl

    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(make_aws(endpoint_url=f"https://127.0.0.1:{port}"))
    assert type(error) is FailedPrecondition
    assert "AWS_CA_BUNDLE" in error.advice


def named() -> list[Any]:
    names = {*way.CREDENTIAL_ERRORS, *way.SETTING_ERRORS, *way.MACHINE_ERRORS}
    return sorted(names | way.MAYBE_SENT | way.UNSENT)


@pytest.mark.parametrize("name", named())
def test_every_class_is_one_of_botocore_s_and_has_its_place(name: str) -> None:
    known = getattr(botocore.exceptions, name)
    error = known.__new__(known)
    # Made without its message: each class wants other words for it.
    Exception.__init__(error, "as it was said")
    error.kwargs = {}
    expected: type[DayflyError] = Unavailable
    if name in way.CREDENTIAL_ERRORS:
        expected = Unauthenticated
    elif name in way.SETTING_ERRORS:
        expected = InvalidField
    elif name in way.MACHINE_ERRORS:
        expected = FailedPrecondition
    translated = from_botocore(error, "trying")
    assert type(translated) is expected
    assert translated.message.startswith("trying: ")
    assert ("may have" in translated.message) == (
        name in way.MAYBE_SENT or name == "EndpointConnectionError"
    )


async def test_a_call_that_there_is_not(make_aws: Callable[..., Aws]) -> None:
    error = await failure(make_aws(), "ecs", "LaunchRocket")
    assert type(error) is ProviderFailed
    assert "launch_rocket" in error.message
