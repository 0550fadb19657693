"""What holds for every provider's folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROVIDERS = Path(__file__).parents[2] / "src" / "dayfly" / "providers"
FILES = {"__init__.py", "__main__.py", "plugin.json", "config.py", "client.py", "runner.py",
         "states.py", "errors.py"}  # fmt: skip
FOLDERS = sorted(path.parent for path in PROVIDERS.glob("*/plugin.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_provider_has_the_same_files_as_the_others(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= FILES


def test_no_provider_waits() -> None:
    sources = list(PROVIDERS.rglob("*.py"))
    assert len(sources) > 20
    waiting = [
        f"{path}:{number}"
        for path in sources
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(asyncio|time)\.sleep\(", line)
    ]
    assert waiting == []
