"""Definitions by content: one name, one registration, however many ask."""

from __future__ import annotations

import asyncio

import pytest

from dayfly.providers.aws.content import Registered, content_name


def test_equal_content_has_one_name_whatever_its_order() -> None:
    name = content_name({"a": 1, "b": ["x"]})
    assert name == content_name({"b": ["x"], "a": 1})
    assert name != content_name({"a": 1, "b": ["y"]})
    prefix, digits = name.split("-")
    assert prefix == "dayfly"
    assert len(digits) == 20
    assert content_name({"a": 1}, "other").startswith("other-")


async def test_many_who_ask_at_once_register_once() -> None:
    registered, calls = Registered(), 0

    async def register() -> str:
        nonlocal calls
        calls += 1
        await asyncio.sleep(0.01)
        return f"arn:{calls}"

    asked = [registered.get("one", register) for _ in range(5)]
    assert set(await asyncio.gather(*asked)) == {"arn:1"}
    assert await registered.get("other", register) == "arn:2"
    registered.forget("one")
    assert await registered.get("one", register) == "arn:3"


async def test_a_failure_is_the_caller_s_and_not_kept() -> None:
    registered = Registered()

    async def fail() -> str:
        raise ValueError

    async def register() -> str:
        return "arn"

    with pytest.raises(ValueError):  # noqa: PT011 - it has no words
        await registered.get("one", fail)
    assert await registered.get("one", register) == "arn"


async def test_who_is_cancelled_takes_nobody_along() -> None:
    registered, begun = Registered(), asyncio.Event()

    async def hang() -> str:
        begun.set()
        await asyncio.sleep(60)
        return "never"

    async def register() -> str:
        return "arn"

    first = asyncio.create_task(registered.get("one", hang))
    await begun.wait()
    second = asyncio.create_task(registered.get("one", register))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(5):
        assert await second == "arn"


async def test_what_is_remembered_has_a_bound() -> None:
    registered = Registered(remembered=10)

    async def register() -> str:
        return "arn"

    for number in range(35):
        await registered.get(str(number), register)
    assert len(registered._arns) <= 10
    assert len(registered._locks) == 0
