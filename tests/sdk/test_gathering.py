"""Questions that come together go along in one call, and nobody is left waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.no_time import NoTime

from dayfly.contract.errors import NotFound, ProviderFailed, Stopped, Throttled
from dayfly.sdk.gathering import Gatherer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

WINDOW = 0.005


class Calls:
    """Answers n with 10 * n, as slowly and as badly as a test asks for."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.cancelled = 0
        self.hold: asyncio.Event | None = None
        self.fails: Exception | None = None
        self.answers: Callable[[Sequence[int]], Sequence[Any]] = lambda asked: [
            10 * number for number in asked
        ]

    async def __call__(self, asked: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(asked))
        try:
            await (self.hold.wait() if self.hold else asyncio.sleep(0.002))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fails:
            raise self.fails
        return self.answers(asked)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def gatherer(calls: Calls) -> AsyncIterator[Gatherer[int, int]]:
    made = Gatherer(calls, size=4, window_seconds=WINDOW)
    yield made
    await made.close()


async def test_what_comes_together_is_asked_in_one_call(calls, gatherer):
    assert await asyncio.gather(*map(gatherer.ask, range(3))) == [0, 10, 20]
    assert calls.batches == [[0, 1, 2]]


async def test_more_than_fit_go_one_call_after_another_in_order(calls, gatherer):
    answers = await asyncio.gather(*map(gatherer.ask, range(10)))
    assert answers == [10 * n for n in range(10)]
    assert calls.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_what_comes_during_a_call_goes_along_with_the_next(calls, gatherer):
    calls.hold = asyncio.Event()
    first = asyncio.create_task(gatherer.ask(0))
    await asyncio.sleep(4 * WINDOW)
    later = [asyncio.create_task(gatherer.ask(n)) for n in (1, 2)]
    await asyncio.sleep(4 * WINDOW)
    assert calls.batches == [[0]]
    calls.hold.set()
    assert await asyncio.gather(first, *later) == [0, 10, 20]
    assert calls.batches == [[0], [1, 2]]


async def test_a_pause_between_questions_starts_it_again(calls, gatherer):
    for number in range(3):
        assert await gatherer.ask(number) == 10 * number
        await asyncio.sleep(2 * WINDOW)
    assert calls.batches == [[0], [1], [2]]


async def test_calls_with_company_are_apart_so_that_all_come_along(calls):
    gatherer = Gatherer(calls, size=4, window_seconds=WINDOW, apart_seconds=0.1)
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.gather(*map(gatherer.ask, range(3)))
    early = [asyncio.create_task(gatherer.ask(n)) for n in (0, 1)]
    await asyncio.sleep(0.05)
    assert await gatherer.ask(2) == 20
    await asyncio.gather(*early)
    assert calls.batches == [[0, 1, 2], [0, 1, 2]]
    assert clock() - began >= 0.1
    # One that is alone, or with as many as fit, waits no longer than for company.
    await asyncio.sleep(0.1)
    for asked in ([5], [6], [1, 2, 3, 4], [1, 2, 3, 4]):
        began = clock()
        await asyncio.gather(*map(gatherer.ask, asked))
        assert clock() - began < 0.08
    await gatherer.close()


async def test_whoever_asks_again_and_again_holds_nobody_up(calls, gatherer):
    async def insist() -> None:
        while True:
            await gatherer.ask(0)

    insisting = [asyncio.create_task(insist()) for _ in range(4)]
    await asyncio.sleep(2 * WINDOW)
    async with asyncio.timeout(0.2):
        assert await gatherer.ask(7) == 70
    for task in insisting:
        task.cancel()
    await asyncio.wait(insisting)


async def test_an_error_of_one_is_raised_to_that_one(calls, gatherer):
    calls.answers = lambda asked: [NotFound("no 1") if n == 1 else n for n in asked]
    answers = await asyncio.gather(*map(gatherer.ask, range(3)), return_exceptions=True)
    assert [answers[0], answers[2]] == [0, 2]
    assert isinstance(answers[1], NotFound)


async def test_an_error_of_the_call_is_raised_to_each_as_its_own(calls, gatherer):
    calls.fails = Throttled("too many", retry_after_seconds=3, field="f")
    errors = await asyncio.gather(*map(gatherer.ask, range(2)), return_exceptions=True)
    assert [type(error) for error in errors] == [Throttled] * 2
    assert [(e.message, e.retry_after_seconds, e.field) for e in errors] == [
        ("too many", 3, "f")
    ] * 2
    assert errors[0] is not errors[1]
    assert errors[0].__cause__ is calls.fails
    calls.fails = None
    assert await gatherer.ask(5) == 50


async def test_an_error_that_is_none_of_ours_is_raised_as_it_is(calls, gatherer):
    calls.fails = ZeroDivisionError("a fault")
    with pytest.raises(ZeroDivisionError, match="a fault"):
        await gatherer.ask(1)


@pytest.mark.parametrize("answers", [[], [1], [1, 2, 3]])
async def test_a_call_that_answers_too_few_or_too_many_leaves_nobody_waiting(
    calls, gatherer, answers
):
    calls.answers = lambda asked: answers
    async with asyncio.timeout(1):
        errors = await asyncio.gather(*map(gatherer.ask, range(2)), return_exceptions=True)
    assert [type(error) for error in errors] == [ProviderFailed] * 2
    assert "2 questions" in str(errors[0])


async def test_a_call_that_is_cancelled_from_within_ends_its_own_questions_only(calls, gatherer):
    calls.fails = asyncio.CancelledError()
    with pytest.raises(Stopped):
        await gatherer.ask(1)
    calls.fails = None
    assert await gatherer.ask(2) == 20


async def test_whoever_is_cancelled_while_it_waits_is_not_asked_about(calls, gatherer):
    asking = [asyncio.create_task(gatherer.ask(n)) for n in range(6)]
    await asyncio.sleep(0)
    for number in (0, 2):
        asking[number].cancel()
    assert await asyncio.gather(*asking[3:], asking[1]) == [30, 40, 50, 10]
    # Nor does it take a place in the call.
    assert calls.batches == [[1, 3, 4, 5]]


async def test_all_that_are_cancelled_in_the_window_cost_no_call(calls, gatherer):
    asking = [asyncio.create_task(gatherer.ask(n)) for n in range(2)]
    await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    await asyncio.sleep(4 * WINDOW)
    assert calls.batches == []
    assert await gatherer.ask(3) == 30


async def test_one_that_is_cancelled_during_the_call_takes_nobody_along(calls, gatherer):
    calls.hold = asyncio.Event()
    asking = [asyncio.create_task(gatherer.ask(n)) for n in range(2)]
    await asyncio.sleep(4 * WINDOW)
    asking[0].cancel()
    await asyncio.sleep(WINDOW)
    calls.hold.set()
    assert await asking[1] == 10
    assert asking[0].cancelled()
    assert calls.cancelled == 0


async def test_a_call_that_nobody_waits_for_is_given_up_and_the_next_begins(calls, gatherer):
    calls.hold = asyncio.Event()
    asking = [asyncio.create_task(gatherer.ask(n)) for n in range(2)]
    await asyncio.sleep(4 * WINDOW)
    for task in asking:
        task.cancel()
    await asyncio.sleep(WINDOW)
    assert calls.cancelled == 1
    calls.hold = None
    async with asyncio.timeout(1):
        assert await gatherer.ask(3) == 30


async def test_closing_tells_whoever_waits_and_cancels_the_call(calls):
    gatherer = Gatherer(calls, size=1, window_seconds=WINDOW)
    calls.hold = asyncio.Event()
    asking = [asyncio.create_task(gatherer.ask(n)) for n in range(3)]
    await asyncio.sleep(4 * WINDOW)
    await gatherer.close()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(answer) for answer in answers] == [Stopped] * 3
    assert (calls.batches, calls.cancelled) == ([[0]], 1)
    await gatherer.close()
    with pytest.raises(Stopped):
        await gatherer.ask(1)


async def test_closing_before_the_window_is_over_tells_whoever_waits(calls):
    gatherer = Gatherer(calls, size=4, window_seconds=10)
    asking = asyncio.create_task(gatherer.ask(1))
    await asyncio.sleep(0)
    await gatherer.close()
    with pytest.raises(Stopped):
        await asking


def test_it_works_in_a_loop_after_one_that_ended_while_someone_waited(calls):
    gatherer = Gatherer(calls, size=1, window_seconds=WINDOW)
    asking = []

    async def leave() -> None:
        calls.hold = asyncio.Event()
        asking.extend(asyncio.create_task(gatherer.ask(n)) for n in range(3))
        await asyncio.sleep(4 * WINDOW)

    async def again() -> int:
        calls.hold = None
        async with asyncio.timeout(1):
            answer = await gatherer.ask(7)
        await gatherer.close()
        return answer

    with asyncio.Runner(loop_factory=NoTime) as first:
        first.run(leave())
    with asyncio.Runner(loop_factory=NoTime) as second:
        assert second.run(again()) == 70
    assert calls.batches == [[0], [7]]
    assert all(task.done() for task in asking)
