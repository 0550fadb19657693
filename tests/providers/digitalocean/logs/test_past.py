"""Cursors, and what of a source was delivered before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import LogBatch, Stream
from dayfly.providers.digitalocean.logs.cursor import SOURCES, Cursor
from dayfly.providers.digitalocean.logs.past import Past, last_lines


@given(st.sampled_from(SOURCES), st.integers(min_value=0, max_value=10**18 - 1))
def test_a_cursor_comes_back(source: str, had: int) -> None:
    cursor = Cursor(source, had)
    assert Cursor.parse(str(cursor)) == cursor


def test_no_cursor_is_the_beginning() -> None:
    assert Cursor.parse("") == Cursor("", 0)


@pytest.mark.parametrize(
    "text",
    [
        "run",
        "run:",
        "run:-1",
        "run:1.5",
        "build:1",
        "run:1 ",
        "RUN:1",
        "run:\u0661",
        "run:" + "9" * 19,
    ],
)
def test_another_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Cursor.parse(text)
    assert caught.value.field == "cursor"


CHUNKS = st.lists(st.binary(max_size=5), max_size=8)


@given(CHUNKS, st.integers(min_value=0, max_value=50))
def test_each_byte_is_delivered_once(chunks: list[bytes], had: int) -> None:
    past, whole = Past(Cursor("run", had)), b"".join(chunks)
    delivered = b""
    for chunk in chunks:
        batch = past.take(chunk)
        if batch is None:
            continue
        assert batch.data
        assert batch.stream is Stream.COMBINED
        delivered += batch.data
        # The cursor says exactly what came before it.
        assert Cursor.parse(batch.cursor) == Cursor("run", had + len(delivered))
    assert delivered == whole[had:]
    # Where there is less than was delivered before, the cursor does not go back.
    assert Cursor.parse(past.cursor) == Cursor("run", max(had, len(whole)))


def batch(data: bytes, cursor: str, *, end: bool = False) -> LogBatch:
    return LogBatch(stream=Stream.COMBINED, data=data, cursor=cursor, end=end)


@pytest.mark.parametrize(
    ("lines", "data"),
    [(0, b""), (1, b"three"), (2, b"two\nthree"), (9, b"one\ntwo\nthree")],
)
def test_the_last_lines(lines: int, data: bytes) -> None:
    batches = [batch(b"one\nt", "run:5"), batch(b"wo\nthree", "run:13", end=True)]
    assert last_lines(batches, lines, Cursor("run", 0)) == batch(data, "run:13", end=True)


def test_the_last_lines_of_nothing() -> None:
    assert last_lines([], 3, Cursor("run", 4)) == batch(b"", "run:4")
