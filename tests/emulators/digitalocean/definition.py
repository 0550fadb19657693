"""DigitalOcean's own definition, read once per process."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).resolve().parents[3]
_FILE: Final = "digitalocean-apps.openapi.json"


def directory() -> Path:
    """Where vendors' definitions are: ``DAYFLY_SPECS``, or ``shared/specs`` beside the project."""
    return Path(os.environ.get("DAYFLY_SPECS") or _HERE.parent / "shared" / "specs")


@functools.cache
def document() -> dict[str, Any]:
    """The definition as it is."""
    found: dict[str, Any] = json.loads((directory() / _FILE).read_text())
    return found


@functools.cache
def operations() -> dict[str, dict[str, Any]]:
    """Operations by name."""
    return {
        one["operationId"]: one
        for path in document()["paths"].values()
        for one in path.values()
        if isinstance(one, dict) and "operationId" in one
    }


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to; other nodes as they are."""
    while "$ref" in node:
        found: Any = document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        node = found
    return node
