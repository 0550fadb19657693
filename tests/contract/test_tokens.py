"""Handle tokens and handshake lines: whatever arrives is read or refused by name."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.contract.handshake import MAX_SOCKET_PATH_BYTES, HandshakeLine, parse_handshake_line
from dayfly.contract.jobs import JobHandle
from dayfly.contract.tokens import MAX_TOKEN_CHARACTERS, PREFIX, from_token, to_token


def packed(body: bytes) -> str:
    raw = zlib.crc32(body).to_bytes(4, "big") + body
    return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def refusal(read, value) -> InvalidField | None:
    try:
        read(value)
    except InvalidField as error:
        return error
    return None


@given(handle=...)
def test_a_handle_survives_its_token(handle: JobHandle):
    token = to_token(handle)
    assert from_token(token) == handle
    assert token.isascii()
    assert not set(token) & set(" \t\n'\"$&|;/\\")


@given(handle=..., at=st.integers(0, 500), new=st.characters(codec="ascii"))
def test_a_changed_character_is_noticed(handle: JobHandle, at: int, new: str):
    token = to_token(handle)
    at %= len(token)
    changed = token[:at] + new + token[at + 1 :]
    error = refusal(from_token, changed)
    assert error.field == "handle" if error else from_token(changed) == handle


@given(handle=..., cut=st.integers(1, 50))
def test_a_token_cut_short_is_refused(handle: JobHandle, cut: int):
    token = to_token(handle)
    with pytest.raises(InvalidField):
        from_token(token[: max(len(token) - cut, 0)])


@given(st.text(st.characters(), max_size=200) | st.text(max_size=200).map(PREFIX.__add__))
def test_any_text_is_refused_as_a_token(text):
    with pytest.raises(InvalidField) as refused:
        from_token(text)
    assert refused.value.field == "handle"
    assert refused.value.advice


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@given(_json)
def test_a_well_packed_token_that_holds_no_handle_is_refused(value):
    token = packed(json.dumps(value).encode())
    error = refusal(from_token, token)
    assert error.field == "handle" if error else to_token(from_token(token))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'["","n","p",{}]',
        b'["i","n","p",{"a":1}]',
        b'["i","n","p",[]]',
        b'["\\ud800","n","p",{}]',
        b'["i","n","p",{"\\udfff":"x"}]',
        b"[" * 20_000,
        b"\xff\xfe",
        b"9" * 5000,
    ],
    ids=str,
)
def test_bodies_that_are_no_handle(body):
    with pytest.raises(InvalidField):
        from_token(packed(body)[:MAX_TOKEN_CHARACTERS])


def test_the_largest_handle_that_the_wire_takes_fits_a_token():
    handle = JobHandle(id="i", metadata={"state": "x" * 60_000})
    assert from_token(to_token(handle)) == handle


@given(
    path=st.from_regex(r"/[!-{]{1,90}", fullmatch=True),
    multiplexing=st.sampled_from([None, True, False]),
)
def test_a_handshake_line_is_read_as_written(path, multiplexing):
    line = HandshakeLine(path, multiplexing)
    assert parse_handshake_line(line.render() + "\n") == line


_parts = st.sampled_from(["1", "2", "", "unix", "tcp", "/s", "grpc", "netrpc", "true", "\0", "é"])


@given(st.text(st.characters(), max_size=200) | st.lists(_parts, max_size=9).map("|".join))
def test_any_line_is_read_or_refused(text):
    error = refusal(parse_handshake_line, text)
    if error is None:
        assert parse_handshake_line(text).path.startswith("/")
        return
    assert error.field.startswith("handshake.")
    assert len(error.message) < 500


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("", "line"),
        ("1|1|unix", "line"),
        ("2|1|unix|/s|grpc|", "core version"),
        ("1|9|unix|/s|grpc|", "protocol version"),
        ("1|1|tcp|127.0.0.1:1|grpc|", "network"),
        ("1|1|unix|s|grpc|", "address"),
        ("1|1|unix|/\ud800" + "s" * MAX_SOCKET_PATH_BYTES + "|grpc|", "address"),
        ("1|1|unix|/" + "s" * MAX_SOCKET_PATH_BYTES + "|grpc|", "address"),
        ("1|1|unix|/s|netrpc|", "protocol"),
        ("1|1|unix|/s|grpc|MIIB", "certificate"),
    ],
)
def test_the_refusal_names_the_part(line, part):
    with pytest.raises(InvalidField) as refused:
        parse_handshake_line(line)
    assert refused.value.field == f"handshake.{part}"


@pytest.mark.parametrize("line", ["1|1|unix|/s", "1|1|unix|/s|", "1|1|unix|/s|grpc||true|more"])
def test_lines_of_other_implementations(line):
    assert parse_handshake_line(line).path == "/s"
