"""Archives, indexes and an https server, made on the spot."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import ssl
import sys
import tarfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.host.packages.platforms import system_and_machine

if TYPE_CHECKING:
    import trustme

RAW_PLUGIN = Path(__file__).parents[1] / "raw_plugin.py"
PROGRAM = f'#!/bin/sh\nexec {sys.executable} -P {RAW_PLUGIN} "$@"\n'
SYSTEM, MACHINE = system_and_machine()


def plugin_json(**change: Any) -> bytes:
    document = {"name": "raw", "version": "1.2.3", "author": "a", "description": "A raw plugin."}
    document |= {
        "license": "MIT",
        "dayfly": {"services": ["dayfly.v1.Submit", "dayfly.v1.Observe"]},
    }
    return json.dumps(document | change).encode()


def member(name: str, data: bytes = b"", *, mode: int = 0o644, **fields: Any) -> Any:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


def folder(name: str) -> Any:
    return member(name, type=tarfile.DIRTYPE, mode=0o755)


def good_members(**change: Any) -> list[Any]:
    return [
        folder("raw"),
        member("raw/plugin.json", plugin_json(**change)),
        member("raw/raw", PROGRAM.encode(), mode=0o755),
        member("raw/data/note.txt", b"a note\n"),
    ]


def tar_gz(members: list[Any]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)


def entry(archive: bytes, url: str, **change: Any) -> dict[str, Any]:
    download = {
        "os": SYSTEM,
        "arch": MACHINE,
        "url": url,
        "sha256": hashlib.sha256(archive).hexdigest(),
    }
    return {
        "name": "raw",
        "version": "1.2.3",
        "author": "a",
        "description": "A raw plugin.",
        "type": "external",
        "tier": "community",
        "license": "MIT",
        "downloads": [download],
    } | change


class Shelf:
    """A directory that is an index, and that the server serves."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()

    def put(self, archive: bytes, *, url: str = "raw.tar.gz", **change: Any) -> dict[str, Any]:
        """An archive and its entry; the archive is what its digest says, whatever that is."""
        (self.directory / "raw.tar.gz").write_bytes(archive)
        document = entry(archive, url, **change)
        place = self.directory / "plugins" / "raw"
        place.mkdir(parents=True, exist_ok=True)
        (place / "manifest.json").write_text(json.dumps(document))
        (self.directory / "index.json").write_text(json.dumps([document]))
        return document

    def alter(self, **change: Any) -> None:
        path = self.directory / "plugins" / "raw" / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?to=")[2])
            self.end_headers()
        elif path.startswith("/short/"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 100)
        elif path.startswith("/endless/"):
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b"x" * 65536)
        elif path.startswith("/slow-"):
            # A byte now and then, where a client reads a line and no end comes.
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            if path.startswith("/slow-chunks/"):
                self.wfile.write(b"Transfer-Encoding: chunked\r\n\r\n")
            with suppress(OSError):
                while True:
                    self.wfile.write(b"0")
                    time.sleep(0.05)
        elif path.startswith("/error/"):
            self.send_error(int(path.rpartition("/")[2]))
        else:
            super().do_GET()


@contextmanager
def serving(shelf: Shelf, authority: trustme.CA):
    """The address of the shelf on an https server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *a: _Handler(*a, directory=str(shelf.directory))
    )
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
