"""What holds in every environment: the same command, the same result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tests.sandbox.conftest import containers_of, running_of
from tests.sandbox.remote_agent import SECRET

from dayfly.contract.jobs import JobState, Reason, Stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from dayfly.sandbox import ExecResult, Running, Sandbox

#: By environment: the options that choose it, and whether it has images.
PLACES: dict[str, tuple[dict[str, Any], bool]] = {
    "local-docker": ({}, True),
    "provider-docker": ({"exec_env": "provider-ephemeral", "provider": "docker"}, True),
    "agent": ({"exec_env": "remote"}, True),
    "provider-local": (
        {"exec_env": "provider-ephemeral", "provider": "local", "profile": "permissive"},
        False,
    ),
}
MARKED = [
    pytest.param(name, marks=pytest.mark.docker if images else ())
    for name, (_, images) in PLACES.items()
]


@dataclass
class Environment:
    """One of them, ready to use."""

    name: str
    sandbox: Sandbox
    options: dict[str, Any]

    async def exec(self, *argv: str, **options: Any) -> ExecResult:
        return await self.sandbox.exec(argv, **self.options, **options)

    def stream(self, *argv: str, **options: Any) -> AbstractAsyncContextManager[Running]:
        return self.sandbox.stream(argv, **self.options, **options)

    async def begun(self) -> None:
        """Its container runs; whoever launched it may not have heard so."""
        async with asyncio.timeout(40):
            while self.image and not await asyncio.to_thread(running_of, self.image):  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.1)

    async def emptied(self) -> None:
        """Nothing of ours is there any more; an agent may take a moment to remove it."""
        async with asyncio.timeout(20):
            while self.image and await asyncio.to_thread(containers_of, self.image):  # noqa: ASYNC110 - the engine tells nobody
                await asyncio.sleep(0.1)

    @property
    def image(self) -> str:
        return str(self.options.get("image", ""))


@pytest.fixture(params=MARKED)
def place(
    request: pytest.FixtureRequest, sandbox_with: Callable[[dict[str, Any]], Sandbox]
) -> Environment:
    options, images = PLACES[request.param]
    runners: dict[str, Any] = {}
    if request.param == "agent":
        runners = request.getfixturevalue("agent").as_runners()
    if images:
        options = options | {"image": request.getfixturevalue("image")}
    return Environment(request.param, sandbox_with(runners), options)


async def test_streams_code_and_reason(place):
    result = await place.exec("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (result.stdout, result.stderr, result.exit_code) == (b"out\n", b"err\n", 7)
    assert (result.state, result.reason) == (JobState.FAILED, Reason.EXITED_NONZERO)
    assert result.notes == () or place.name == "provider-local"
    assert result.exec_env == place.options.get("exec_env", "local-docker")
    assert (await place.exec("true")).reason is Reason.COMPLETED


async def test_argv_arrives_word_by_word(place):
    words = ["", "a  b", "$HOME", "'\"`", "\\n", "*", "-n", "ä\n"]
    result = await place.exec("printf", r"%s|", *words)
    assert result.stdout == "".join(word + "|" for word in words).encode()


async def test_variables_and_secrets(place):
    result = await place.exec(
        "sh", "-c", 'echo "$A $B"', env={"A": "a  b", "B": "secret://ci/token"}
    )
    assert result.stdout == f"a  b {SECRET}\n".encode()


async def test_a_lot_of_output_is_whole_and_in_order(place):
    script = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done"
    result = await place.exec("sh", "-c", script)
    assert result.stdout == b"".join(b"line %d\n" % n for n in range(20_000))
    assert result.ok


async def test_output_beyond_the_bound_is_cut_and_counted(place):
    result = await place.exec("sh", "-c", "head -c 300000 /dev/zero; echo e >&2", max_output=1000)
    assert result.stdout == bytes(1000) + b"\n[dayfly: output cut here, after 1000 bytes]\n"
    assert (result.stdout_dropped, result.stderr) == (299_000, b"e\n")


async def test_output_comes_while_the_command_runs(place):
    script = "echo first; trap 'exit 9' TERM; while :; do sleep 0.1; done"
    async with asyncio.timeout(40), place.stream("sh", "-c", script) as running:
        async for output in running:
            assert (output.stream, output.data) == (Stream.STDOUT, b"first\n")
            break
    await place.emptied()


async def test_a_timeout_stops_it(place):
    script = "trap 'exit 9' TERM; while :; do sleep 0.1; done"
    async with asyncio.timeout(40):
        result = await place.exec("sh", "-c", script, timeout_seconds=2)
    assert (result.state, result.reason) == (JobState.FAILED, Reason.TIMED_OUT)
    await place.emptied()


async def test_cancelling_the_caller_stops_it(place):
    script = "trap 'exit 9' TERM; while :; do sleep 0.1; done"
    running = asyncio.create_task(place.exec("sh", "-c", script))
    await place.begun()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await place.emptied()


async def test_several_at_once_do_not_mix(place):
    results = await asyncio.gather(*(place.exec("echo", str(n)) for n in range(4)))
    assert [result.stdout for result in results] == [b"%d\n" % n for n in range(4)]
