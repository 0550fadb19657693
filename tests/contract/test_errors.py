"""The error tree, and its way over a real gRPC server."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest
from google.protobuf import empty_pb2

from dayfly.contract import errors
from dayfly.contract.errors import BY_CODE, Code, DayflyError, InvalidField, ProviderFailed
from dayfly.contract.jobs import Reason
from dayfly.contract.rpc_errors import DETAIL_KEY, abort, from_rpc_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, DayflyError) and kind not in {DayflyError, errors.Transient}
]


def test_one_class_for_each_code_and_one_code_for_each_class():
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert set(BY_CODE) == set(Code)
    assert set(BY_CODE.values()) == set(KINDS)


def test_codes_are_those_of_grpc():
    for code in Code:
        assert grpc.StatusCode[code.name].value[0] == code


def test_an_error_prints_its_advice_on_a_line_of_its_own():
    assert str(InvalidField("a is b", field="a", advice="Say c.")) == "a is b\nSay c."
    assert str(InvalidField("a is b", field="a")) == "a is b"


class Wire:
    """A real server whose one call fails in a way that the test sets, and its client."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.error: DayflyError | None = None
        self.raw: tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]] | None = None
        self._call = channel.unary_unary(
            "/t.T/Fail",
            request_serializer=empty_pb2.Empty.SerializeToString,
            response_deserializer=empty_pb2.Empty.FromString,
        )

    async def answer(self, request: object, context: grpc.aio.ServicerContext) -> None:
        if self.raw:
            await context.abort(*self.raw)
        assert self.error is not None
        await abort(context, self.error)

    async def fail(self, error: DayflyError) -> DayflyError:
        self.error = error
        return await self.failure()

    async def failure(self) -> DayflyError:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await self._call(empty_pb2.Empty(), timeout=5)
        return from_rpc_error(raised.value, "failing on purpose")


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    server = grpc.aio.server()
    address = f"unix:{tmp_path}/s"
    server.add_insecure_port(address)
    async with grpc.aio.insecure_channel(address) as channel:
        made = Wire(channel)
        handler = grpc.unary_unary_rpc_method_handler(
            made.answer,
            request_deserializer=empty_pb2.Empty.FromString,
            response_serializer=empty_pb2.Empty.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("t.T", {"Fail": handler}),)
        )
        await server.start()
        yield made
        await server.stop(None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_an_error_arrives_whole(wire: Wire, kind: type[DayflyError]):
    sent = kind(
        "an image is ünknown: 日本",
        advice="Pull it.\nThen again.",
        field="image",
        reason=Reason.IMAGE_UNAVAILABLE,
        retry_after_seconds=2.5,
    )
    got = await wire.fail(sent)
    assert type(got) is kind
    assert vars(got) == vars(sent)


async def test_nothing_more_than_a_message(wire: Wire):
    got = await wire.fail(ProviderFailed("broke"))
    assert vars(got) == vars(ProviderFailed("broke"))


@pytest.mark.parametrize("letter", ["x", "日", "😀", "\ud800", "%", "\n"])
async def test_a_very_long_error_is_cut_and_keeps_its_kind(wire: Wire, letter: str):
    got = await wire.fail(
        InvalidField(letter * 100_000, field=letter * 999, advice=letter * 99_999)
    )
    assert type(got) is InvalidField
    assert len(got.message) > 100
    assert len(got.advice) > 100
    assert got.field


@pytest.mark.parametrize("code", [c for c in grpc.StatusCode if c is not grpc.StatusCode.OK])
async def test_any_code_of_a_plain_server_becomes_an_error(wire: Wire, code: grpc.StatusCode):
    wire.raw = (code, "said plainly", ())
    got = await wire.failure()
    assert type(got) is BY_CODE.get(code.value[0], ProviderFailed)
    assert got.message == "failing on purpose: said plainly"


async def test_no_message_at_all_says_what_was_tried(wire: Wire):
    wire.raw = (grpc.StatusCode.INTERNAL, "", ())
    assert (await wire.failure()).message.startswith("failing on purpose")


async def test_a_detail_that_is_no_detail_is_left_alone(wire: Wire):
    wire.raw = (grpc.StatusCode.NOT_FOUND, "gone", ((DETAIL_KEY, b"\xff\xff\xff"),))
    got = await wire.failure()
    assert type(got) is errors.NotFound
    assert "gone" in got.message
