"""From the jobs that a person named to ``Job`` objects, each through its own provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from dayfly.cli.warned import run_told
from dayfly.contract.errors import DayflyError, NotFound
from dayfly.contract.groups import TaskGroup
from dayfly.jobs import Journal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dayfly.api import Connection
    from dayfly.cli.naming import Chosen
    from dayfly.contract.jobs import JobHandle
    from dayfly.jobs import Job

T = TypeVar("T")


async def reach(provider: Connection, chosen: Chosen) -> Job:
    """The chosen job; a launch that was never answered is looked up by its key.

    Raises:
        NotFound: The provider has no job of that key, or not yet.
    """
    handle = chosen.handle
    if handle is None:
        await provider.jobs.recover()
        handle = await asyncio.to_thread(_recovered, chosen)
    return provider.jobs.attach(handle, key=chosen.key, name=chosen.name)


def _recovered(chosen: Chosen) -> JobHandle:
    for entry in Journal.open().entries():
        if entry.key == chosen.key and entry.handle is not None:
            return entry.handle
    raise NotFound(
        f"the launch of {chosen.name} was never answered, and provider {chosen.provider!r} has "
        "no job of its key",
        advice=f"Launch it with: dayfly run --key {chosen.key} and the same options.",
    )


def with_each(
    connections: dict[str, Connection],
    jobs: Sequence[Chosen],
    act: Callable[[Job], Awaitable[T]],
) -> list[T | DayflyError]:
    """Do the same to all jobs at once; one that fails does not stop the others.

    Args:
        connections: By provider, their plugins starting already.
        jobs: What was chosen.
        act: What to do to each.

    Returns:
        In the order of ``jobs``, what came of it, or why nothing did.
    """
    return run_told(_with_each(connections, jobs, act))


async def _with_each(
    connections: dict[str, Connection],
    jobs: Sequence[Chosen],
    act: Callable[[Job], Awaitable[T]],
) -> list[T | DayflyError]:
    results: dict[int, T | DayflyError] = {}

    async def one(provider: Connection, number: int) -> None:
        try:
            results[number] = await act(await reach(provider, jobs[number]))
        except DayflyError as error:
            results[number] = error

    async def on(name: str, provider: Connection) -> None:
        numbers = [number for number, job in enumerate(jobs) if job.provider == name]
        try:
            async with provider, TaskGroup() as group:
                for number in numbers:
                    group.create_task(one(provider, number))
        except DayflyError as error:
            for number in numbers:
                results.setdefault(number, error)

    async with TaskGroup() as group:
        for name, provider in connections.items():
            group.create_task(on(name, provider))
    return [results[number] for number in range(len(jobs))]
