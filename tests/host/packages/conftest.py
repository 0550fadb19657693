"""A shelf of archives, on the disk and on an https server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme
from tests.host.packages.shelf import Shelf, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "index")


@pytest.fixture
def plugins_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "plugins"
    monkeypatch.setenv("DAYFLY_PLUGINS_DIR", str(directory))
    return directory


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    ca = trustme.CA()
    bundle = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return ca


@pytest.fixture
def web(shelf: Shelf, authority: trustme.CA):
    """The address of the shelf on an https server."""
    with serving(shelf, authority) as address:
        yield address
