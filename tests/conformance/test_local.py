"""The local provider keeps every promise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dayfly.contract.identity import key_digest
from dayfly.testing import ProviderUnderTest, RunnerConformance


def _on_disk(key: str) -> list[str]:
    return [
        str(path) for path in Path(os.environ["DAYFLY_STATE_DIR"]).rglob(f"*{key_digest(key)}*")
    ]


class TestLocal(RunnerConformance):
    provider = ProviderUnderTest(plugin="local", own_place=True, resources=_on_disk)

    @pytest.fixture(autouse=True)
    def _own_state(self, tmp_path, monkeypatch):
        monkeypatch.setenv("DAYFLY_STATE_DIR", str(tmp_path / "state"))
