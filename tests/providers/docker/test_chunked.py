"""Chunked bodies, cut anywhere, and those that end too soon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import Unavailable
from dayfly.providers.docker.chunked import BrokenBodyError, ChunkedStream, Dechunker
from dayfly.providers.docker.contexts import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 50))
def test_any_cut_gives_the_same_bytes(payloads: list[bytes], step: int) -> None:
    data = b"".join(map(chunk, payloads)) + b"0\r\n\r\n"
    body = Dechunker()
    got = b"".join(body.feed(data[at : at + step]) for at in range(0, len(data), step))
    assert got == b"".join(payloads)
    assert body.finished


@pytest.mark.parametrize("data", [b"zz\r\nab", b"2\r\nabc\r\n", b"-1\r\nx", b"a" * 100])
def test_what_is_not_chunked_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenBodyError):
        Dechunker().feed(data)


async def read(path: Path, answer: bytes) -> bytes:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        endpoint = Endpoint(url=f"unix://{path}", why="a test", socket=str(path))
        stream = await ChunkedStream.get(endpoint, None, "/x")
        try:
            return b"".join([piece async for piece in stream.chunks()])
        finally:
            await stream.aclose()


async def test_a_whole_body(tmp_path: Path) -> None:
    assert await read(tmp_path / "s", HEAD + chunk(b"abc") + b"0\r\n\r\n") == b"abc"


@pytest.mark.parametrize("answer", [HEAD + chunk(b"abc"), b"HTTP/1.1", b"", b"nonsense\r\n\r\n"])
async def test_an_answer_cut_short_is_never_the_end(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(Unavailable):
        await read(tmp_path / "s", answer)
