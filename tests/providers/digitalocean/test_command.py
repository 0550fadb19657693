"""An argv as one string, and back."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.digitalocean.samples import KEY, job

from dayfly.contract.errors import InvalidField
from dayfly.providers.digitalocean.command import quoted, run_command
from dayfly.providers.digitalocean.own import sentinel_of

SENTINEL = sentinel_of(KEY)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
NASTY = st.sampled_from(
    [
        "",
        "'",
        '"',
        "\\",
        "$HOME",
        "${x}",
        "`id`",
        "a b",
        "\n",
        "*",
        "#",
        "~",
        "A=b",
        "if",
        "!",
        "{}",
    ]
)


@given(st.lists(WORDS | NASTY, min_size=1, max_size=6))
def test_a_splitter_reads_the_same_argv_back(argv: list[str]) -> None:
    assert shlex.split(quoted(argv)) == argv


async def test_a_shell_reads_the_same_argv_back() -> None:
    argv = [
        "printf", "%s\\0", "two words", "", "it's", 'say "hi"', "line one\nline two\n",
        "$HOME `id` $(id) ${x}", "back\\slash \\n", "tab\there", "*? [a-z] ~ # ! & | ; < >",
        "日本語 é 😀", "%s %d %%", "A=b", "\x01\x1b[31m\x7f", "~", "--flag=-x",
    ]  # fmt: skip
    code, output = await _run(quoted(argv))
    assert code == 0
    assert output.decode().split("\0")[:-1] == argv[2:]


@pytest.mark.parametrize(
    ("argv", "string"),
    [
        ((), ""),
        (("bin/migrate", "--all", "-n=2"), "bin/migrate --all '-n=2'"),
        (("echo", "a b"), "echo 'a b'"),
        (("echo", "it's"), "echo 'it'\"'\"'s'"),
        # A shell would take these for something else than a program.
        (("A=b",), "'A=b'"),
        (("if", "if"), "'if' if"),
    ],
)
def test_what_is_sent(argv: tuple[str, ...], string: str) -> None:
    assert run_command(job(command=argv)) == string


def test_a_line_of_shell_goes_to_a_shell() -> None:
    line = "make all && ./run | tee log; exit 3"
    sent = run_command(job(command=(), run_command=line))
    assert sent == f"/bin/sh -c '{line}'"


OPERATORS = [
    "&&", "||", "|", "|&", ";", ";;", "&", "(", ")", ">", ">>", "<", "<<", "<<<", ">|", ">&", "<&",
    "<>", "2>", "2>&1", ">&2", "&>", "&>>", "1>>",
]  # fmt: skip


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_of_a_shell_is_refused(operator: str) -> None:
    with pytest.raises(InvalidField) as caught:
        run_command(job(command=("echo", "a", operator, "b")))
    assert caught.value.field == "command[2]"
    assert repr(operator) in caught.value.message
    assert "/bin/sh -c" in caught.value.advice


@pytest.mark.parametrize("word", ["a&&b", "&x", "a|b", ";x", ">file", "-", "2", "{}", "$", "a;"])
def test_what_only_looks_like_one_is_a_word(word: str) -> None:
    assert shlex.split(run_command(job(command=("echo", word)))) == ["echo", word]


def test_without_a_command_there_is_no_exit_code_to_report() -> None:
    assert run_command(job(command=())) == ""
    with pytest.raises(InvalidField) as caught:
        run_command(job(command=()), sentinel=SENTINEL)
    assert caught.value.field == "command"


@pytest.mark.parametrize("code", [0, 1, 3, 127, 255])
async def test_the_last_line_is_the_exit_code(code: int) -> None:
    spec = job(command=("/bin/sh", "-c", f"printf 'no end of line'; exit {code}"))
    ended, output = await _run(run_command(spec, sentinel=SENTINEL))
    assert ended == code
    assert output.decode() == f"no end of line\n{SENTINEL}{code}\n"


async def test_a_program_that_is_not_there_is_reported_too() -> None:
    spec = job(command=("/no/such/program",))
    ended, output = await _run(run_command(spec, sentinel=SENTINEL))
    assert ended == 127
    assert output.decode().endswith(f"\n{SENTINEL}127\n")


async def test_a_stop_is_passed_on() -> None:
    # Its child tells that it was stopped, and how it ended then.
    script = "trap 'echo stopped; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    spec = job(command=("/bin/sh", "-c", script))
    process = await _start(run_command(spec, sentinel=SENTINEL))
    async with asyncio.timeout(20):
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        rest = await process.stdout.read()
        assert await process.wait() == 7
    assert rest.decode() == f"stopped\n\n{SENTINEL}7\n"


async def _start(line: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        f"exec {line}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )


async def _run(line: str) -> tuple[int, bytes]:
    process = await _start(line)
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output
