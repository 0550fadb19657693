"""Frames, cursors and batches, however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField, ProviderFailed
from dayfly.contract.jobs import Stream
from dayfly.providers.docker.cursors import Cursor
from dayfly.providers.docker.entries import LostNewlines
from dayfly.providers.docker.frames import FrameReader
from dayfly.providers.docker.logs import BATCH, Batcher

PIECE = 16 * 1024
TIME = b"2026-01-01T00:00:00.000000000Z"


def frame(stream: int, payload: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=8),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_any_cut_gives_the_same_frames(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    data = b"".join(frame(stream, payload) for stream, payload in frames)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    reader = FrameReader()
    got = [f for a, b in pairwise(edges) for f in reader.feed(data[a:b])]
    assert got == frames
    assert not reader.torn


def test_a_frame_cut_short_is_noticed() -> None:
    reader = FrameReader()
    assert list(reader.feed(frame(1, b"abc")[:-1])) == []
    assert reader.torn


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"plain text, as a terminal gives", "not framed"),
        (b"\x01\x00\x00\x00\xff\xff\xff\xff", "not framed"),
        (frame(3, b"disk is gone"), "disk is gone"),
    ],
)
def test_what_is_no_output_is_never_taken_for_it(data: bytes, said: str) -> None:
    with pytest.raises(ProviderFailed, match=said):
        list(FrameReader().feed(data))


def test_batches_join_neighbours_and_keep_to_their_size() -> None:
    batcher = Batcher(Cursor(5, 7))
    assert batcher.add(Stream.STDOUT, b"a") is None
    assert batcher.add(Stream.STDOUT, b"b") is None
    first = batcher.add(Stream.STDERR, b"e")
    assert first is not None
    assert (first.data, first.cursor) == (b"ab", "7:7")
    second = batcher.add(Stream.STDERR, b"x" * BATCH)
    assert second is not None
    assert (second.data, second.cursor) == (b"e", "7:8")
    rest = batcher.take()
    assert rest is not None
    assert rest.cursor == f"7:{8 + BATCH}"
    assert batcher.take() is None
    assert batcher.end().cursor == rest.cursor


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
def test_cursors_come_back(out: int, err: int) -> None:
    assert Cursor.parse(str(Cursor(out, err))) == Cursor(out, err)


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.count(":") != 1))
def test_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        Cursor.parse(text)
    assert caught.value.field == "cursor"


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([b"x" * PIECE, b""], b"x" * PIECE + b"\n"),
        ([b"x" * PIECE, b"yy", b"next\n"], b"x" * PIECE + b"yy\nnext\n"),
        ([b"x" * PIECE, b"x" * PIECE, b"y"], b"x" * PIECE * 2 + b"y\n"),
        ([b"line\n", b"open"], b"line\nopen"),
        ([b"x" * PIECE], b"x" * PIECE),
    ],
)
def test_lost_newlines_are_put_back(pieces: list[bytes], whole: bytes) -> None:
    repair = LostNewlines()
    entries = [(Stream.STDOUT, piece, TIME) for piece in pieces]
    other = [(Stream.STDERR, b"e\n", TIME)]
    got = [*repair.feed(entries), *repair.feed(other), *repair.finish()]
    assert b"".join(data for stream, data, _ in got if stream is Stream.STDOUT) == whole
