"""The line in which a command tells its own exit code."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.providers.digitalocean.logs.sentinel import Sentinel

TEXT = "dayfly-exit:0123:"
MARK = TEXT.encode()


def through(data: bytes, cuts: list[int], text: str = TEXT) -> tuple[bytes, int | None]:
    sentinel = Sentinel(text)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places)]
    return b"".join(map(sentinel.feed, pieces)) + sentinel.finish(), sentinel.code


CUTS = st.lists(st.integers(min_value=0, max_value=80), max_size=6)


@pytest.mark.parametrize(
    ("output", "rest", "code"),
    [
        (b"hello\n\n" + MARK + b"0\n", b"hello\n", 0),
        (b"no end\n" + MARK + b"7\n", b"no end", 7),
        (b"\n" + MARK + b"255\n", b"", 255),
        (b"x\n" + MARK + b"12", b"x", 12),
        (b"x\n" + MARK + b"12\r\n", b"x", 12),
        # What is no such line, or is not the last, is output.
        (b"hello\n", b"hello\n", None),
        (b"", b"", None),
        (MARK + b"0\n", MARK + b"0\n", None),
        (b"x" + MARK + b"0\n", b"x" + MARK + b"0\n", None),
        (b"\n" + MARK + b"\n", b"\n" + MARK + b"\n", None),
        (b"\n" + MARK + b"1234\n", b"\n" + MARK + b"1234\n", None),
        (b"\n" + MARK + b"-1\n", b"\n" + MARK + b"-1\n", None),
        (b"\n" + MARK + b"0\nmore\n", b"\n" + MARK + b"0\nmore\n", None),
        # A job may print what looks like it: the last one counts.
        (b"\n" + MARK + b"0\nmore\n\n" + MARK + b"3\n", b"\n" + MARK + b"0\nmore\n", 3),
        (b"\n" + MARK + b"0\n\n" + MARK + b"3\n", b"\n" + MARK + b"0\n", 3),
        (b"\n" + MARK[:-3], b"\n" + MARK[:-3], None),
    ],
)
@given(cuts=CUTS)
def test_the_last_line(output: bytes, rest: bytes, code: int | None, cuts: list[int]) -> None:
    assert through(output, cuts) == (rest, code)


@given(st.lists(st.sampled_from([b"\n", MARK, MARK[:5], b"0", b"12\n", b"x"]), max_size=8), CUTS)
def test_nothing_is_lost_but_the_line(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(parts)
    rest, code = through(data, cuts)
    if code is None:
        assert rest == data
    else:
        assert data in {
            rest + b"\n" + MARK + digits + end for digits in _written(code) for end in (b"", b"\n")
        }


def _written(code: int) -> set[bytes]:
    return {f"{code:0{width}}".encode() for width in (1, 2, 3)}


def test_without_a_text_nothing_is_held_back() -> None:
    sentinel = Sentinel("")
    assert sentinel.feed(b"x\n" + MARK + b"0\n") == b"x\n" + MARK + b"0\n"
    assert sentinel.finish() == b""
    assert sentinel.code is None


def test_what_is_certain_is_given_at_once() -> None:
    sentinel = Sentinel(TEXT)
    assert sentinel.feed(b"a line\nhalf") == b"a line\nhalf"
    assert sentinel.feed(b"\nday") == b""
    assert sentinel.feed(b"light\n") == b"\ndaylight"
    # A look-alike in the middle holds back nothing of what follows it.
    assert sentinel.feed(MARK + b"0\nmore") == b"\n" + MARK + b"0\nmore"
