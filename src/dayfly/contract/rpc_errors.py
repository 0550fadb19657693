"""Errors cross the wire as a gRPC code, a sentence, and a detail in the trailing metadata."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import NoReturn

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from dayfly.contract.convert import reason_from_wire, reason_to_wire
from dayfly.contract.errors import BY_CODE, Code, DayflyError, ProviderFailed, Unclassified
from dayfly.contract.wire import dayfly_v1_pb2 as v1

DETAIL_KEY = "dayfly-error-bin"

#: gRPC fails a call whose metadata is over 8 KiB, counted as encoded: a byte that is not
#: plain ASCII takes three in a message, and all of a detail grows by a third.
MAX_MESSAGE = 3000
MAX_ADVICE = 2000
MAX_FIELD = 200

_STATUS = {status.value[0]: status for status in grpc.StatusCode}


async def abort(context: grpc.aio.ServicerContext[object, object], error: DayflyError) -> NoReturn:
    """End a call with an error of ours."""
    detail = v1.ErrorDetail(
        field=_cut(error.field, MAX_FIELD),
        reason=reason_to_wire(error.reason),
        advice=_cut(error.advice, MAX_ADVICE),
        retry_after_seconds=error.retry_after_seconds,
    )
    await context.abort(
        _STATUS[error.code],
        _cut(error.message, MAX_MESSAGE),
        ((DETAIL_KEY, detail.SerializeToString()),),
    )


def from_rpc_error(error: grpc.aio.AioRpcError, tried: str) -> DayflyError:
    """The error that the other side meant, or what its gRPC code says.

    Args:
        error: As grpc.aio raised it.
        tried: What was being done, for a message that has none of its own.
    """
    code: int = error.code().value[0]
    kind = BY_CODE.get(Code(code), Unclassified) if code in set(Code) else ProviderFailed
    message = error.details() or f"{tried} failed with {error.code().name} and no message"
    raw = dict(error.trailing_metadata() or ()).get(DETAIL_KEY)
    if not isinstance(raw, bytes):
        return kind(f"{tried}: {message}")
    try:
        detail = v1.ErrorDetail.FromString(raw)
    except DecodeError:
        return kind(f"{tried}: {message}")
    return kind(
        message,
        advice=detail.advice,
        field=detail.field,
        reason=reason_from_wire(detail.reason),
        retry_after_seconds=(
            detail.retry_after_seconds if detail.HasField("retry_after_seconds") else None
        ),
    )


def _cut(text: str, room: int) -> str:
    """As much of a text as takes ``room`` bytes once percent-encoded."""
    clean = text[:room].encode(errors="replace").decode()
    plain = range(ord(" "), ord("~") + 1)
    costs = accumulate(
        1 if ord(letter) in plain and letter != "%" else 3 * len(letter.encode())
        for letter in clean
    )
    return clean[: bisect_right(list(costs), room)]
