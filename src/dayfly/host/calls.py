"""Every call to a plugin: a deadline, an error of ours, an end when the plugin ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar, cast

import grpc
import grpc.aio

from dayfly.contract.errors import (
    DayflyError,
    DeadlinePassed,
    FailedPrecondition,
    InvalidField,
    NotServed,
    ProviderFailed,
)
from dayfly.contract.handshake import MAX_ANSWER_BYTES
from dayfly.contract.rpc_errors import DETAIL_KEY, from_rpc_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from dayfly.host.deadlines import Deadlines
    from dayfly.host.watch import ProcessWatch


#: How gRPC says that a message was over our limit: as it came, or once decompressed.
_OVER_LIMIT = ("CLIENT: Received message larger than max", "Decompressed message larger than max")

#: How gRPC in Go and C says that a message was over the limit of its receiver.
_OVER_ITS_LIMIT = "received message larger than max"

Request = TypeVar("Request")
Answer = TypeVar("Answer")
Value = TypeVar("Value")


class Calls:
    """Calls one plugin's services, and remembers which of them turned out absent.

    Attributes:
        deadlines: How long each kind of call may take.
    """

    def __init__(self, watch: ProcessWatch, deadlines: Deadlines) -> None:
        self.deadlines = deadlines
        self._watch = watch
        self._pending: set[grpc.aio.Call] = set()
        self._worked: set[str] = set()
        self._absent: set[str] = set()
        watch.on_exit(self._cancel_pending)

    @property
    def plugin(self) -> str:
        """The plugin's name."""
        return self._watch.name

    @property
    def alive(self) -> bool:
        """The plugin's process has not ended."""
        return not self._watch.exited.is_set()

    def absent(self, service: str) -> bool:
        """The service was announced, and answered nothing but UNIMPLEMENTED."""
        return service in self._absent

    async def unary(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer],
        request: Request,
        *,
        service: str,
        tried: str,
        seconds: float | None = None,
    ) -> Answer:
        """One question, one answer.

        Args:
            method: The stub's.
            request: The question.
            service: Full name of the service it belongs to.
            tried: What is asked for, to follow "asking plugin 'x' ".
            seconds: Until when; by default as long as any call may take.

        Raises:
            DayflyError: The plugin's own error; NotServed where it lacks the service;
                DeadlinePassed; ProviderFailed where its process ended.
        """
        await self._refuse_if_dead(tried)
        call = method(request, timeout=seconds or self.deadlines.call)
        cancels = _cancels()
        self._pending.add(call)
        try:
            answer = await call
        except grpc.aio.AioRpcError as error:
            raise await self._failure(error, service, tried) from error
        except asyncio.CancelledError:
            if self._watch.exited.is_set() and _cancels() == cancels:
                raise await self._death(tried) from None
            raise
        finally:
            self._pending.discard(call)
        self._worked.add(service)
        return answer

    async def stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Request, Answer],
        request: Request,
        *,
        service: str,
        tried: str,
        idle_seconds: float | None = None,
    ) -> AsyncGenerator[Answer, None]:
        """One question, answers until the plugin has no more.

        Args:
            method: The stub's.
            request: The question.
            service: Full name of the service it belongs to.
            tried: As for ``unary``.
            idle_seconds: Longest silence between two answers; None is no limit.

        Raises:
            DayflyError: As for ``unary``.
        """
        await self._refuse_if_dead(tried)
        call = method(request)
        self._pending.add(call)
        try:
            while (answer := await self._next(call, service, tried, idle_seconds)) is not None:
                self._worked.add(service)
                yield answer
        finally:
            self._pending.discard(call)
            call.cancel()

    def understood(self, convert: Callable[[Request], Value], wire: Request, tried: str) -> Value:
        """An answer as our value.

        Raises:
            ProviderFailed: The plugin answered with something that is none.
        """
        try:
            return convert(wire)
        except (InvalidField, ValueError, OverflowError) as error:
            raise self.misunderstood(str(error), tried) from error

    def misunderstood(self, what: str, tried: str) -> ProviderFailed:
        """The error for an answer that makes no sense."""
        return ProviderFailed(f"asking plugin {self.plugin!r} {tried}: its answer is wrong: {what}")

    async def _next(
        self,
        call: grpc.aio.UnaryStreamCall[Request, Answer],
        service: str,
        tried: str,
        idle_seconds: float | None,
    ) -> Answer | None:
        cancels = _cancels()
        try:
            async with asyncio.timeout(idle_seconds):
                answer = await call.read()
        except TimeoutError:
            raise DeadlinePassed(
                f"asking plugin {self.plugin!r} {tried}: it said nothing for {idle_seconds:g} s"
            ) from None
        except grpc.aio.AioRpcError as error:
            raise await self._failure(error, service, tried) from error
        except asyncio.CancelledError:
            if self._watch.exited.is_set() and _cancels() == cancels:
                raise await self._death(tried) from None
            raise
        return None if answer is grpc.aio.EOF else cast("Answer", answer)

    async def _failure(self, error: grpc.aio.AioRpcError, service: str, tried: str) -> DayflyError:
        said_more = any(key == DETAIL_KEY for key, _ in error.trailing_metadata() or ())
        if error.code() is grpc.StatusCode.CANCELLED and self._watch.exited.is_set():
            # grpc tells our own cancelling of a pending call in this way or as CancelledError.
            return await self._death(tried)
        if error.code() is grpc.StatusCode.UNAVAILABLE and not said_more:
            # The socket closes a moment before the process is seen to have ended.
            await self._watch.last_words()
            if self._watch.exited.is_set():
                return await self._death(tried)
        if error.code() is grpc.StatusCode.UNIMPLEMENTED and not said_more:
            part = "this part of " if service in self._worked else ""
            if not part:
                self._absent.add(service)
            return NotServed(
                f"asking plugin {self.plugin!r} {tried}: it does not serve {part}{service}",
                advice=f"`dayfly describe --on {self.plugin}` shows what it can do.",
            )
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and not said_more:
            too_large = self._too_large(error.details() or "", tried)
            if too_large is not None:
                return too_large
        return from_rpc_error(error, f"asking plugin {self.plugin!r} {tried}")

    def _too_large(self, details: str, tried: str) -> DayflyError | None:
        """What gRPC calls exhausted: asked again it would be as large, and not pass."""
        asking = f"asking plugin {self.plugin!r} {tried}"
        if any(words in details for words in _OVER_LIMIT):
            limit = f"{MAX_ANSWER_BYTES // 2**20} MiB"
            return ProviderFailed(f"{asking}: its answer is over the limit of {limit} ({details})")
        if _OVER_ITS_LIMIT in details.lower():
            return FailedPrecondition(
                f"{asking}: the request is larger than it takes ({details})",
                advice="Have the job fetch what is large, rather than be given it in its "
                "arguments or environment.",
            )
        return None

    async def _refuse_if_dead(self, tried: str) -> None:
        if self._watch.exited.is_set():
            raise await self._death(tried)

    async def _death(self, tried: str) -> DayflyError:
        return await self._watch.death(
            f"and could not be asked {tried}",
            "Jobs that were launched go on without it: `dayfly ps` finds them through a new one.",
        )

    def _cancel_pending(self) -> None:
        for call in tuple(self._pending):
            call.cancel()


def _cancels() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0
