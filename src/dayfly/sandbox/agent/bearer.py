"""The bearer token, asked for at every call but a look at the health."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final, NoReturn

import grpc
import grpc.aio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = grpc.RpcMethodHandler[Any, Any]

#: A watch of it is not: it lasts, and anybody could begin any number.
_OPEN: Final = "/grpc.health.v1.Health/Check"
_SCHEME: Final = "Bearer "


class Bearer(grpc.aio.ServerInterceptor):
    """Turns away who does not have the token."""

    def __init__(self, token: str) -> None:
        self._digest = _digest(token)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The method's handler for who has the token, and a refusal for who has not."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method == _OPEN:
            return handler
        given = dict(handler_call_details.invocation_metadata or ()).get("authorization", "")
        return handler if self.knows(given) else _REFUSAL

    def knows(self, authorization: str | bytes) -> bool:
        """Whether the header carries the token, in the same time whatever it carries."""
        text = authorization if isinstance(authorization, str) else ""
        scheme, token = text[: len(_SCHEME)], text[len(_SCHEME) :]
        # Of digests, so that the length of the token does not show either.
        same = hmac.compare_digest(_digest(token), self._digest)
        return same and scheme == _SCHEME


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def _refuse(requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
    del requests
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the bearer token is missing or wrong")


#: Whatever is called: of a stream nothing is read before the refusal.
_REFUSAL: Final[Handler] = grpc.stream_stream_rpc_method_handler(_refuse)
