"""Calls keep to a rate, in the order in which they were asked for, and to less once refused."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from tests.no_time import NoTime

from dayfly.sdk.pacing import Pacer, Pacers, Rate


async def turns(pacer: Pacer, count: int) -> list[float]:
    """When each of so many calls at once had its turn, from now on."""
    clock = asyncio.get_running_loop().time
    began = clock()

    async def turn() -> float:
        await pacer.turn()
        return clock() - began

    return await asyncio.gather(*(turn() for _ in range(count)))


async def test_a_burst_and_then_the_rate():
    times = await turns(Pacer(Rate(3, 50)), 13)
    assert times == pytest.approx([0.0] * 3 + [turn / 50 for turn in range(1, 11)])


async def test_the_burst_comes_back_and_no_more_than_that():
    pacer = Pacer(Rate(2, 100))
    await turns(pacer, 2)
    await asyncio.sleep(0.1)
    times = await turns(pacer, 4)
    assert times == pytest.approx([0.0, 0.0, 0.01, 0.02])


async def test_turns_come_in_the_order_in_which_they_were_asked_for():
    pacer, order = Pacer(Rate(1, 200)), []

    async def turn(number: int) -> None:
        await pacer.turn()
        order.append(number)

    await asyncio.gather(*map(turn, range(10)))
    assert order == list(range(10))


async def test_one_that_is_cancelled_costs_no_turn_and_holds_nobody_up():
    pacer = Pacer(Rate(1, 20))
    await pacer.turn()
    waiting = [asyncio.create_task(pacer.turn()) for _ in range(5)]
    await asyncio.sleep(0.01)
    for task in waiting[:4]:
        task.cancel()
    began = asyncio.get_running_loop().time()
    await waiting[4]
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.04)


async def test_a_refused_call_halves_the_rate_also_for_those_that_wait():
    pacer = Pacer(Rate(1, 50))
    waiting = asyncio.create_task(turns(pacer, 9))
    await asyncio.sleep(0.05)
    pacer.throttled()
    times = await waiting
    # At 50 a second the eighth pause would be over at 0.16 s.
    assert times[-1] >= 0.23


async def test_refusals_of_calls_that_were_on_their_way_together_count_once():
    slow, slower = Pacer(Rate(1, 50)), Pacer(Rate(1, 50))
    slow.throttled()
    for _ in range(20):
        slower.throttled()
    first, second = await asyncio.gather(turns(slow, 4), turns(slower, 4))
    assert second == pytest.approx(first)


async def test_a_refusal_takes_the_burst():
    pacer = Pacer(Rate(10, 50))
    pacer.throttled()
    times = await turns(pacer, 2)
    assert times[0] >= 0.03


async def test_the_rate_comes_back_by_itself(monkeypatch):
    monkeypatch.setattr("dayfly.sdk.pacing._RECOVERY_SECONDS", 0.2)
    pacer = Pacer(Rate(1, 100))
    pacer.throttled()
    await asyncio.sleep(0.25)
    times = await turns(pacer, 6)
    assert times[-1] - times[0] == pytest.approx(0.05)


async def test_each_kind_of_call_has_its_own_rate_and_others_have_none():
    pacers = Pacers({"slow": Rate(1, 10), "fast": Rate(1, 1000)})

    async def last(call: str) -> float:
        began = asyncio.get_running_loop().time()
        for _ in range(3):
            await pacers.turn(call)
        return asyncio.get_running_loop().time() - began

    slow, fast, unknown = await asyncio.gather(*map(last, ("slow", "fast", "unknown")))
    assert (slow, fast, unknown) == pytest.approx((0.2, 0.002, 0.0))
    pacers.throttled("unknown")
    pacers.throttled("slow")


def test_it_works_in_a_loop_after_one_that_ended_while_someone_waited():
    pacer = Pacer(Rate(1, 100))
    asked = []

    async def leave() -> None:
        asked.extend(asyncio.create_task(pacer.turn()) for _ in range(5))
        await asyncio.sleep(0.005)

    async def again() -> list[float]:
        async with asyncio.timeout(1):
            return await turns(pacer, 5)

    with asyncio.Runner(loop_factory=NoTime) as first:
        first.run(leave())
    with asyncio.Runner(loop_factory=NoTime) as second:
        times = second.run(again())
    assert [late - soon for soon, late in pairwise(times)] == pytest.approx([0.01] * 4)
    assert [task.cancelled() for task in asked] == [False] + [True] * 4
