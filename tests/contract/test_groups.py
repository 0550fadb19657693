"""A failed group leaves nothing on the task that entered it."""

from __future__ import annotations

import asyncio

import pytest

from dayfly.contract.groups import TaskGroup, together


async def _fail() -> None:
    await asyncio.sleep(0.001)
    raise ValueError("the child's own")


async def _fail_beside_a_body() -> None:
    async with TaskGroup() as group:
        group.create_task(_fail())
        await asyncio.sleep(1)


async def test_a_child_fails_while_the_group_is_left():
    task = asyncio.current_task()
    assert task
    with pytest.raises(ExceptionGroup, match="unhandled"):
        async with TaskGroup() as group:
            group.create_task(_fail())
    assert task.cancelling() == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1)


async def test_a_child_fails_while_the_body_runs():
    task = asyncio.current_task()
    assert task
    with pytest.raises(ExceptionGroup, match="unhandled"):
        await _fail_beside_a_body()
    assert task.cancelling() == 0


async def test_a_cancel_from_outside_still_counts():
    async def body() -> None:
        async with TaskGroup() as group:
            group.create_task(asyncio.sleep(60))

    task = asyncio.create_task(body())
    await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def test_a_group_that_goes_well():
    async with TaskGroup() as group:
        task = group.create_task(asyncio.sleep(0, "done"))
    assert task.result() == "done"


async def test_together_gives_results_in_order_and_the_first_failure_as_it_is():
    assert await together(asyncio.sleep(pause, pause) for pause in (0.003, 0.001)) == [0.003, 0.001]
    slow = asyncio.Event()

    async def cancelled() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            slow.set()
            raise

    with pytest.raises(ValueError, match="the child's own"):
        await together([cancelled(), _fail()])
    assert slow.is_set()
    assert await together([]) == []
