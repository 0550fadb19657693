"""A certificate for this machine, of an authority that only tests trust."""

from __future__ import annotations

import atexit
import functools
import shutil
import ssl
import tempfile
from pathlib import Path

import trustme


@functools.cache
def authority() -> tuple[ssl.SSLContext, Path]:
    """What a server presents, and the file that makes a client trust it; one per process."""
    made = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    directory = Path(tempfile.mkdtemp(prefix="dayfly-emulator-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    path = directory / "ca.pem"
    made.cert_pem.write_to_path(path)
    return context, path
