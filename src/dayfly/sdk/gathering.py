"""Questions that come at about the same time, asked in one call.

For providers whose API answers about many things at once while dayfly asks about each: one
call is on its way at a time, and what comes meanwhile goes along with the next.
"""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Generic, TypeVar

from dayfly.contract.errors import DayflyError, ProviderFailed, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Gatherer(Generic[Question, Answer]):
    """One shared call after another, for whoever asks, first come first served."""

    def __init__(
        self,
        call: Callable[[Sequence[Question]], Coroutine[Any, Any, Sequence[Answer | Exception]]],
        *,
        size: int,
        window_seconds: float = 0.005,
        apart_seconds: float = 0.0,
    ) -> None:
        """Take what asks.

        Args:
            call: Answers each question, in their order; an exception among the answers is
                raised to its asker alone, one that is raised to all of them. It is cancelled
                once nobody waits for it any more.
            size: How many questions go into one call.
            window_seconds: How long a call that is not full waits for company.
            apart_seconds: How long after a call with company the next one begins. Where such
                calls are paced, one that only waits for its turn would leave without those
                that come meanwhile.
        """
        self._call = call
        self._size = size
        self._window = window_seconds
        self._apart = apart_seconds
        self._next = float("-inf")
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def ask(self, question: Question) -> Answer:
        """The answer to one question.

        Raises:
            Exception: What the call raised, or gave for this question.
            ProviderFailed: The call did not answer each of its questions.
            Stopped: It was closed.
        """
        if self._closed:
            raise _closed()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run(), name="dayfly gatherer")
        return await future

    async def close(self) -> None:
        """Ask nothing more; whoever waits is told so."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            _settle(self._waiting, [_closed()] * len(self._waiting))
        self._waiting, self._task = [], None

    async def _run(self) -> None:
        while self._waiting:
            if len(self._waiting) < self._size:
                left = self._next - asyncio.get_running_loop().time()
                await asyncio.sleep(max(self._window, left))
            # Whoever was cancelled while it waited takes nobody's place.
            waiting = [asked for asked in self._waiting if not asked[1].done()]
            batch, self._waiting = waiting[: self._size], waiting[self._size :]
            if len(batch) > 1:
                self._next = asyncio.get_running_loop().time() + self._apart
            if batch:
                await self._answer(batch)

    async def _answer(self, batch: list[tuple[Question, asyncio.Future[Answer]]]) -> None:
        call = asyncio.get_running_loop().create_task(
            self._call([question for question, _ in batch])
        )

        def left(_: object) -> None:
            if not call.done() and all(future.done() for _, future in batch):
                call.cancel()

        for _, future in batch:
            future.add_done_callback(left)
        try:
            await asyncio.wait({call})
        finally:
            if call.done():
                _settle(batch, _answers(call, len(batch)))
            else:
                # Closed: the call goes first, so that nothing of it is left.
                call.cancel()
                await asyncio.wait({call})
                _settle(batch, [_closed()] * len(batch))


def _answers(
    call: asyncio.Future[Sequence[Answer | Exception]], asked: int
) -> Sequence[Answer | Exception]:
    if call.cancelled():
        return [Stopped("the call was cancelled from within")] * asked
    if isinstance(error := call.exception(), Exception):
        return [error] * asked
    answers = call.result()
    if len(answers) == asked:
        return answers
    failed = f"{asked} questions were asked in one call, and {len(answers)} answered"
    return [ProviderFailed(failed, advice="This is a fault in the plugin.")] * asked


def _settle(
    batch: Sequence[tuple[Question, asyncio.Future[Answer]]],
    answers: Sequence[Answer | Exception],
) -> None:
    for (_, future), answer in zip(batch, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(_own(answer))
        else:
            future.set_result(answer)


def _own(error: Exception) -> Exception:
    """A copy for one asker: an exception that many raise gathers all their tracebacks."""
    if not isinstance(error, DayflyError):
        return error
    own = copy.copy(error)
    own.__cause__ = error
    return own


def _closed() -> Stopped:
    return Stopped("the connection to the provider was closed while something was asked of it")
