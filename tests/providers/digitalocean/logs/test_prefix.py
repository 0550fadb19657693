"""What App Platform puts before each line is not output."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.providers.digitalocean.logs.prefix import Prefix

AT = b"2024-05-29T20:14:14.996999111Z "
CUTS = st.lists(st.integers(min_value=0, max_value=120), max_size=6)


def through(data: bytes, cuts: list[int]) -> bytes:
    prefix = Prefix("job")
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    return b"".join(map(prefix.feed, pieces)) + prefix.finish()


@pytest.mark.parametrize(
    ("printed", "output"),
    [
        (b"job " + AT + b"hello\n", b"hello\n"),
        (b"job " + AT + b"one\njob " + AT + b"two\n", b"one\ntwo\n"),
        (b"job " + AT + b"\njob " + AT + b"no end", b"\nno end"),
        (b"job 2024-05-29T20:14:14Z x\n", b"x\n"),
        (b"job 2024-05-29T20:14:14.5Z x\n", b"x\n"),
        # The job's own words are left alone, also where they look like it.
        (b"job " + AT + b"job " + AT + b"x\n", b"job " + AT + b"x\n"),
        (b"job " + AT + b"  indented\n", b"  indented\n"),
        (b"hello\n", b"hello\n"),
        (b"job done\n", b"job done\n"),
        (b"job", b"job"),
        (b"job ", b"job "),
        (b"job 2024-05-29", b"job 2024-05-29"),
        (b"job 2024-05-29T20:14:14.9969991119Z x\n", b"job 2024-05-29T20:14:14.9969991119Z x\n"),
        (b"job 2024-05-29 20:14:14Z x\n", b"job 2024-05-29 20:14:14Z x\n"),
        (b"jobs " + AT + b"x\n", b"jobs " + AT + b"x\n"),
        (b"web " + AT + b"x\n", b"web " + AT + b"x\n"),
        (b"x job " + AT + b"y\n", b"x job " + AT + b"y\n"),
        (b"", b""),
    ],
)
@given(cuts=CUTS)
def test_a_line(printed: bytes, output: bytes, cuts: list[int]) -> None:
    assert through(printed, cuts) == output


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=5), CUTS)
def test_any_output_comes_through(lines: list[bytes], cuts: list[int]) -> None:
    printed = b"".join(b"job " + AT + line + b"\n" for line in lines)
    assert through(printed, cuts) == b"".join(line + b"\n" for line in lines)


def test_what_is_certain_is_given_at_once() -> None:
    prefix = Prefix("job")
    assert prefix.feed(b"job " + AT + b"half") == b"half"
    assert prefix.feed(b" of it\njo") == b" of it\n"
    assert prefix.feed(b"y\n") == b"joy\n"
