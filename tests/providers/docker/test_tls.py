"""The same engine behind a TLS address that asks for a client's certificate."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from dayfly.contract.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.docker


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return  # either side hung up, which ends the copy
    finally:
        writer.close()


@pytest.fixture
async def tls_engine(engine_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """A proxy in front of the engine's socket, with the client's files in ``tmp_path``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client = authority.issue_cert("client@example.test")
    client.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    client.private_key_pem.write_to_path(tmp_path / "key.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_unix_connection(engine_url.removeprefix("unix://"))
        await asyncio.gather(_copy(reader, down), _copy(up, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    # Connections end by themselves once the client has closed its own.
    others = asyncio.all_tasks() - {asyncio.current_task()}
    async with asyncio.timeout(5):
        await asyncio.gather(*(task for task in others if "serve" in repr(task.get_coro())))


async def test_a_job_over_tls(
    make_room: Any,
    own_containers: Any,
    tls_engine: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    room = await make_room(host=tls_engine)
    handle = await room.run("sh", "-c", "echo out; echo err >&2", follow=True)
    assert await room.output(handle, follow=True) == (b"out\n", b"err\n")
    assert await room.output(handle) == (b"out\n", b"err\n")
    await room.inventory.delete(handle)
    await room.session.close()


async def test_an_engine_that_the_authority_does_not_know(
    make_room: Any, tls_engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    room = await make_room(host=tls_engine)
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await room.submitter.find("k")
