"""Plugins of third parties, as they lie in a plugins directory."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

RAW_PLUGIN = Path(__file__).parents[1] / "host" / "raw_plugin.py"
SERVED = [
    "workflow.plugin.external.iac.IaCProviderRunner",
    "dayfly.v1.Submit",
    "dayfly.v1.Observe",
    "workflow.plugin.external.iac.IaCProviderJobCanceler",
]


def put_raw_plugin(directory: Path, *modes: str, **manifest: Any) -> Path:
    """The raw gRPC plugin, with a plugin.json that is right but for what is given."""
    document = {"name": "raw", "version": "1.2.3", "author": "a", "description": "d"}
    document |= {"iacServices": SERVED, **manifest}
    place = directory / document["name"]
    place.mkdir(parents=True)
    (place / "plugin.json").write_text(json.dumps(document))
    program = place / document["name"]
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -P {RAW_PLUGIN} {' '.join(modes)}\n")
    program.chmod(0o755)
    return place
