"""The Go plugin of the interop tests, as a place where a sandbox runs commands."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from tests.interop.building import NoGo, programs_built
from tests.interop.processes import end_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "go-scripted"


def installed(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The plugin, able to stop jobs, in a plugins directory of its own; skips where there is no Go.

    Its jobs are processes, and may not outlive this.
    """
    try:
        program = programs_built().provider
    except NoGo as reason:
        if os.environ.get("DAYFLY_REQUIRE_GO") == "1":
            raise
        pytest.skip(str(reason))
    place = directory / "plugins" / NAME
    place.mkdir(parents=True)
    about = {"name": NAME, "version": "1.4.2", "author": "tests", "description": "d"}
    (place / "plugin.json").write_text(json.dumps(about))
    (place / NAME).write_text(f"#!/bin/sh\nINTEROP_MODES=canceler exec {program} {directory}\n")
    (place / NAME).chmod(0o755)
    monkeypatch.setenv("DAYFLY_PLUGINS_DIR", str(place.parent))
    yield
    end_jobs(directory)
