"""Reading from the web: a real server, with a certificate of an authority of its own."""

from __future__ import annotations

import io
import socket
import socketserver
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from dayfly.contract.errors import DeadlinePassed, FailedPrecondition, NotFound, Unavailable
from dayfly.host.packages import https


def read(url: str, *, max_bytes: int = 1000, seconds: float = 10) -> bytes:
    into = io.BytesIO()
    assert https.copy(url, into, max_bytes=max_bytes, seconds=seconds) == len(into.getvalue())
    return into.getvalue()


def test_a_file(web, shelf):
    (shelf.directory / "note").write_bytes(b"a note")
    assert read(f"{web}/note") == b"a note"


def test_a_redirect_within_https(web, shelf):
    (shelf.directory / "note").write_bytes(b"a note")
    assert read(f"{web}/redirect/?to={web}/note") == b"a note"


@pytest.mark.parametrize("to", ["http://localhost:1/note", "ftp://localhost/note"])
def test_a_redirect_elsewhere_is_refused(web, to):
    with pytest.raises(FailedPrecondition, match="only https:// is"):
        read(f"{web}/redirect/?to={to}")


def test_a_redirect_to_a_file_is_refused(web):
    with pytest.raises(FailedPrecondition, match="302"):
        read(f"{web}/redirect/?to=file:///etc/passwd")


def test_a_redirect_to_what_is_no_url_is_refused(web):
    with pytest.raises(Unavailable, match="could not be read"):
        read(f"{web}/redirect/?to=https://[::1/")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/x",
        "file:///etc/passwd",
        "ftp://x/y",
        "https://",
        "x",
        "HTTP://x",
        "https://[::1/x",
        "https://localhost:x/",
        "https://localhost:99999/",
    ],
)
def test_any_other_scheme_is_refused(url):
    with pytest.raises(FailedPrecondition, match="only https:// is"):
        read(url)


@pytest.mark.parametrize("url", ["https://x/a b", "https://x/\x1b[31m", "https://x/\u00fc"])
def test_what_belongs_into_no_url_is_refused(url):
    with pytest.raises(FailedPrecondition, match="as %XX alone"):
        read(url)


@pytest.mark.parametrize("user", ["https://bob:s3cret", "https://s3cret", "http://bob:s3cret"])
def test_a_password_in_a_url_is_refused_and_not_repeated(user):
    with pytest.raises(FailedPrecondition, match=r"at localhost is not read: .*password") as caught:
        read(f"{user}@localhost/x")
    assert "s3cret" not in caught.value.message


def test_the_users_proxy_is_used(web, shelf, monkeypatch):
    (shelf.directory / "note").write_bytes(b"a note")
    asked: list[bytes] = []

    class Proxy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline())
            while self.rfile.readline().strip():
                pass
            host, _, port = asked[-1].split()[1].decode().partition(":")
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection((host, int(port))) as there:
                back = threading.Thread(target=pump, args=(there, self.connection))
                back.start()
                pump(self.connection, there)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("NO_PROXY", "")
        try:
            assert read(f"{web}/note") == b"a note"
        finally:
            server.shutdown()
    assert asked[0].startswith(f"CONNECT {web.removeprefix('https://')} ".encode())


def pump(source: socket.socket, sink: socket.socket) -> None:
    """All that comes from one socket into another, and its end too."""
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_an_unknown_authority_is_refused(web, tmp_path, monkeypatch):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with pytest.raises(FailedPrecondition, match="certificate is not good") as caught:
        read(f"{web}/note")
    assert "SSL_CERT_FILE" in caught.value.advice


def test_a_certificate_of_another_name_is_refused(web):
    with pytest.raises(FailedPrecondition, match="certificate is not good"):
        read(web.replace("localhost", "127.0.0.1"))


@pytest.mark.parametrize(
    ("code", "kind"),
    [(404, NotFound), (410, NotFound), (403, FailedPrecondition), (503, Unavailable)],
)
def test_an_error_says_what_came_back(web, code, kind):
    with pytest.raises(kind, match=f"/error/{code} answered {code}"):
        read(f"{web}/error/{code}")


def test_a_connection_that_breaks_is_no_whole_file(web):
    with pytest.raises(Unavailable, match="900 bytes early"):
        read(f"{web}/short/")


def test_what_does_not_end_is_bounded_in_bytes(web):
    with pytest.raises(FailedPrecondition, match="over 1000 bytes"):
        read(f"{web}/endless/")


@pytest.mark.parametrize("path", ["endless", "slow-headers", "slow-chunks"])
def test_what_does_not_end_is_bounded_in_time(web, path):
    began = time.monotonic()
    with pytest.raises(DeadlinePassed, match=r"was not read whole within 0\.5 s"):
        read(f"{web}/{path}/", max_bytes=1 << 40, seconds=0.5)
    assert time.monotonic() - began < 30


def test_what_cannot_be_kept_is_not_laid_at_the_servers_door(web, shelf):
    (shelf.directory / "note").write_bytes(b"a note")
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(FailedPrecondition, match="cannot be kept: No space left"),
    ):
        https.copy(f"{web}/note", full, max_bytes=1000, seconds=10)


def test_nobody_there():
    with pytest.raises(Unavailable, match="refused"):
        read("https://localhost:1/x")
