"""The one place where a plugin's failures become the wire's errors, redacted and logged."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

from dayfly.contract import names
from dayfly.contract.errors import BY_CODE, DayflyError, FailedPrecondition, ProviderFailed
from dayfly.contract.rpc_errors import abort
from dayfly.sdk.redaction import redact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Handler = grpc.RpcMethodHandler[Any, Any]
    Context = grpc.aio.ServicerContext[Any, Any]

E = TypeVar("E", bound=BaseException)

_logger = logging.getLogger(__name__)

_AFTER_INITIALIZE = frozenset(names.CAPABILITIES.values())


class Guard(grpc.aio.ServerInterceptor):
    """Stands around every call."""

    def __init__(self, plugin: str, initialized: Callable[[], bool]) -> None:
        self._plugin = plugin
        self._initialized = initialized
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """The method's handler, guarded; None where there is no such method."""
        method = handler_call_details.method
        if method not in self._guarded:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            self._guarded[method] = self._guard(handler, method.lstrip("/"))
        return self._guarded[method]

    def _guard(self, handler: Handler, method: str) -> Handler:
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        behaviour: Any = handler.unary_unary or handler.unary_stream or handler.stream_stream

        async def answer(request: object, context: Context) -> object:
            async with self._failures(method, context):
                return await behaviour(request, context)

        async def stream(request: object, context: Context) -> None:
            async with (
                self._failures(method, context),
                aclosing(behaviour(request, context)) as messages,
            ):
                async for message in messages:
                    # Comes back when the transport has room: this is the backpressure.
                    await context.write(message)

        return make(
            stream if handler.response_streaming else answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    @asynccontextmanager
    async def _failures(self, method: str, context: Context) -> AsyncIterator[None]:
        try:
            if not self._initialized() and method.partition("/")[0] in _AFTER_INITIALIZE:
                raise FailedPrecondition(
                    f"{method} was called before Initialize",
                    advice="Send the plugin its configuration first; {} will do for defaults.",
                )
            yield
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception as error:  # noqa: BLE001 - a provider's code may raise anything
            await abort(context, self._explained(error, method))

    def _explained(self, error: Exception, method: str) -> DayflyError:
        meant = _within(error, DayflyError)
        if meant is None and (missing := _within(error, ModuleNotFoundError)):
            return FailedPrecondition(
                f"plugin {self._plugin!r} needs the Python package {missing.name!r}, which is not "
                "installed",
                advice="Install what the plugin needs; for one that comes with dayfly: "
                f"pip install 'dayfly[{self._plugin}]'",
            )
        if meant is None:
            _logger.error("%s failed", method, exc_info=error)
            return ProviderFailed(
                redact(f"plugin {self._plugin!r} failed in {method}: {_text(error)}"),
                advice="This is a fault in the plugin; its log has the traceback.",
            )
        _logger.debug("%s answers %s: %s", method, meant.code.name, meant.message)
        return BY_CODE[meant.code](
            redact(meant.message),
            advice=redact(meant.advice),
            field=meant.field,
            reason=meant.reason,
            retry_after_seconds=meant.retry_after_seconds,
        )


def _within(error: BaseException, kind: type[E]) -> E | None:
    """The first error of a kind that was raised, by itself or in a task group."""
    if isinstance(error, kind):
        return error
    if isinstance(error, BaseExceptionGroup):
        found = (_within(inner, kind) for inner in error.exceptions)
        return next((inner for inner in found if inner is not None), None)
    return None


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
