"""Bytes in any pieces become the lines that were written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.jobs import LogBatch, Stream
from dayfly.jobs.records import LineSplitter

START = datetime(2026, 1, 1, tzinfo=UTC)


def batch(data, cursor="", stream=Stream.STDOUT, times=()):
    return LogBatch(stream=stream, data=data, cursor=cursor, times=times)


def split(batches, cursor="", **options):
    splitter = LineSplitter(cursor, **options)
    records = [record for one in batches for record in splitter.feed(one)]
    return [*records, *splitter.rest()]


def written(records, stream):
    return [(record.line, record.continues) for record in records if record.stream is stream]


def lines_of(data):
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


runs = st.lists(
    st.tuples(st.sampled_from(Stream), st.text(alphabet="ab\n", max_size=6)), max_size=12
).map(
    lambda parts: [
        batch(text.encode(), str(number), stream)
        for number, (stream, text) in enumerate(parts, start=1)
        if text
    ]
)


@given(runs)
def test_each_streams_lines_are_those_that_were_written(batches):
    records = split(batches)
    for stream in Stream:
        data = b"".join(one.data for one in batches if one.stream is stream)
        assert [line for line, _ in written(records, stream)] == lines_of(data)


@given(runs, st.data())
def test_a_records_cursor_loses_nothing_that_came_after_it(batches, data):
    records = split(batches)
    if not records:
        return
    number = data.draw(st.integers(0, len(records) - 1))
    cursor = records[number].cursor
    rest = [one for one in batches if int(one.cursor) > int(cursor or 0)]
    again, after = split(rest, cursor), records[number + 1 :]
    for stream in Stream:
        expected = written(after, stream)
        assert written(again, stream)[len(written(again, stream)) - len(expected) :] == expected


@given(st.binary(max_size=60), st.integers(1, 7), st.integers(1, 9))
def test_long_lines_come_in_parts_and_nothing_is_lost(data, piece, longest):
    pieces = [batch(data[at : at + piece]) for at in range(0, len(data), piece)]
    records = split(pieces, longest=longest)
    assert all(len(record.line) <= longest for record in records)
    assert all(len(record.line) == longest for record in records if record.continues)
    joined = b"".join(record.line + b"\n" * (not record.continues) for record in records)
    assert joined.removesuffix(b"\n") == data.removesuffix(b"\n")


def test_a_line_of_a_mebibyte_passes_whole():
    line = b"x" * (1 << 20)
    records = split([batch(line[: 1 << 19]), batch(line[1 << 19 :] + b"\n")])
    assert [(record.line, record.continues) for record in records] == [(line, False)]


def test_a_line_has_the_time_at_which_it_began():
    times = tuple((offset, START + timedelta(seconds=offset)) for offset in (0, 4, 8))
    records = split([batch(b"one\ntwo\nth", times=times), batch(b"ree\n", times=((0, START),))])
    seconds = [(record.time - START).total_seconds() for record in records]
    assert [record.text for record in records] == ["one", "two", "three"]
    assert seconds == [0, 4, 8]


def test_a_line_before_the_first_time_has_none():
    first, second = split([batch(b"one\ntwo\n", times=((4, START),))])
    assert (first.time, second.time) == (None, START)


def test_the_cursor_moves_on_only_past_whole_lines():
    records = split([batch(b"a\nb", "1"), batch(b"c\nd\n", "2")], cursor="0")
    assert [(record.line, record.cursor) for record in records] == [
        (b"a", "0"),
        (b"bc", "0"),
        (b"d", "2"),
    ]


def test_what_is_no_text_is_kept_as_bytes():
    (record,) = split([batch(b"\xff\xc3\r\n")])
    assert record.line == b"\xff\xc3\r"
    assert record.text == "\ufffd\ufffd\r"
