"""A user's shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user's shell, with dayfly on its PATH and a state directory of its own."""
    programs = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "DAYFLY_STATE_DIR": str(tmp_path / "state"),
    }
