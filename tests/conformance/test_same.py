"""What differs is told in a sentence, however large it is."""

from __future__ import annotations

import re
import time

import pytest

from dayfly.testing.same import expect


def test_the_same_is_silent() -> None:
    expect(b"a\n", b"a\n")


@pytest.mark.parametrize(
    ("got", "wanted", "told"),
    [
        (b"one\ntwo\n", b"one\n2\n", r"byte 4 on (line 2): b'two\n' instead of b'2\n'; 8 bytes"),
        (b"one\n", b"one\ntwo\n", r"byte 4 on (line 2): the end instead of b'two\n'; 4 bytes"),
        (b"one\ntwo", b"one\n", r"b'two' instead of the end; 7 bytes came, 4 should have"),
        (b"", b"x" * 50, f"(line 1): the end instead of b'{'x' * 40}'...; 0 bytes"),
    ],
)
def test_the_first_difference_is_told(got: bytes, wanted: bytes, told: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(told)):
        expect(got, wanted)


def test_a_large_output_is_compared_at_once() -> None:
    """In a second where pytest takes minutes: its diff is whole where ``CI`` is set."""
    wanted = b"0123456789abcdef" * 2**16
    began = time.process_time()
    with pytest.raises(AssertionError, match="stderr differs from byte 1048575") as failed:
        expect(wanted[:-1] + b"?", wanted, of="stderr")
    assert time.process_time() - began < 5
    assert len(str(failed.value)) < 300
