"""What holds in every environment: the same command, the same result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.sandbox.conftest import containers_of, running_of
from tests.sandbox.remote_agent import SECRET

from dayfly.contract.jobs import JobState, Reason, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from dayfly.sandbox import ExecResult, Running, Sandbox


@dataclass(frozen=True)
class Place:
    """One environment, and what it cannot show.

    Attributes:
        options: They choose it.
        marks: Of the machine that it needs.
        image: It runs containers of this machine's engine, under a name that is ours alone.
        apart: It keeps stdout apart from stderr.
        quiet: It has nothing to say about a command that ran as it should.
        lacks: Case to the reason for which it means nothing there.
    """

    options: dict[str, Any]
    marks: tuple[pytest.MarkDecorator, ...] = ()
    image: bool = True
    apart: bool = True
    quiet: bool = True
    lacks: Mapping[str, str] = field(default_factory=dict)


PROVIDER = {"exec_env": "provider-ephemeral"}
_BURSTS = "MiniStack loses lines of a burst"
PLACES = {
    "local-docker": Place({}, (pytest.mark.docker,)),
    "provider-docker": Place(PROVIDER | {"provider": "docker"}, (pytest.mark.docker,)),
    "agent": Place({"exec_env": "remote"}, (pytest.mark.docker,)),
    "provider-local": Place(
        PROVIDER | {"provider": "local", "profile": "permissive"}, image=False, quiet=False
    ),
    "provider-aws": Place(
        PROVIDER | {"provider": "aws", "profile": "permissive"},
        (pytest.mark.cloud, pytest.mark.timeout(120)),
        apart=False,
        quiet=False,
        lacks={
            "a_lot_of_output_is_whole_and_in_order": _BURSTS,
            "output_beyond_the_bound_is_cut_and_counted": _BURSTS,
            "several_at_once_do_not_mix": "nothing of ECS itself is in it but more of the same",
        },
    ),
    "provider-go": Place(
        PROVIDER | {"provider": "go-scripted", "profile": "permissive"},
        (pytest.mark.timeout(600),),  # The first of them may have to build the plugin.
        image=False,
        quiet=False,
        lacks={"variables_and_secrets": "the plugin takes no secrets"},
    ),
}
MARKED = [pytest.param(name, marks=place.marks) for name, place in PLACES.items()]


@dataclass
class Environment:
    """One of them, ready to use."""

    place: Place
    sandbox: Sandbox
    image: str

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
        # ECS forgets a stopped task by itself; what is left of one does not run.
        left = containers_of if self.place.apart else running_of
        async with asyncio.timeout(40):
            while self.image and await asyncio.to_thread(left, self.image):  # noqa: ASYNC110 - the engine tells nobody
                await asyncio.sleep(0.1)

    @property
    def options(self) -> dict[str, Any]:
        return self.place.options | {"image": self.image}


@pytest.fixture(params=MARKED)
def place(request: pytest.FixtureRequest, sandbox_with: Callable[..., Sandbox]) -> Environment:
    chosen = PLACES[request.param]
    case = request.function.__name__.removeprefix("test_")
    if case in chosen.lacks:
        pytest.skip(chosen.lacks[case])
    image, runners, tables = "", {}, {}
    if request.param == "provider-aws":
        image, tables["aws"] = request.getfixturevalue("aws")
    elif chosen.image:
        image = request.getfixturevalue("image")
    if request.param == "agent":
        runners = request.getfixturevalue("agent").as_runners()
    if request.param == "provider-go":
        request.getfixturevalue("go_plugin")
    return Environment(chosen, sandbox_with(runners, **tables), image)


async def test_streams_code_and_reason(place):
    result = await place.exec("sh", "-c", "echo out; echo err >&2; exit 7")
    if place.place.apart:
        assert (result.stdout, result.stderr) == (b"out\n", b"err\n")
    else:
        assert sorted(result.stdout.splitlines()) == [b"err", b"out"]
    assert result.exit_code == 7
    assert (result.state, result.reason) == (JobState.FAILED, Reason.EXITED_NONZERO)
    assert result.notes == () or not place.place.quiet
    assert result.exec_env == place.options.get("exec_env", "local-docker")
    assert (await place.exec("true")).reason is Reason.COMPLETED


async def test_argv_arrives_word_by_word(place):
    words = ["", "a  b", "$HOME", "'\"`", "\\n", "*", "-n", "ä\n"]
    result = await place.exec("printf", r"<%s>\n", *words)
    assert result.stdout == "".join(f"<{word}>\n" for word in words).encode()


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
            assert output.stream is (Stream.STDOUT if place.place.apart else Stream.COMBINED)
            assert output.data == b"first\n"
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
