"""The one request of a call, once the call was admitted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from dayfly.contract.errors import DeadlinePassed, InvalidField

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dayfly.contract.wire import sandbox_pb2 as wire

_SECONDS: Final = 30.0


async def request_of(requests: AsyncIterator[wire.SandboxExecRequest]) -> wire.SandboxExecRequest:
    """The one request of a call.

    Raises:
        DeadlinePassed: None came.
        InvalidField: What came is none.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            request = await anext(aiter(requests), None)
    except DecodeError:
        request = None
    except TimeoutError:
        raise DeadlinePassed(f"no request came within {_SECONDS:g} s") from None
    if request is None:
        raise InvalidField("what was sent is no SandboxExecRequest", field="request")
    return request
