"""What has to go with a plugin's module: distributions of this environment, and sources.

What is packed is what is installed here, in these versions, because that is what was tested;
so nothing is resolved anew, and no network is needed.
"""

from __future__ import annotations

import json
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from dayfly.contract.errors import FailedPrecondition
from dayfly.host.discovery import ENTRY_POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OURS: Final = "dayfly"


class Closure(NamedTuple):
    """What goes into the one file.

    Attributes:
        requirements: Distributions that are installed as usual, each with its version.
        packages: Directories of packages whose sources are elsewhere: those that are
            installed editable, or only found on the path.
    """

    requirements: tuple[str, ...]
    packages: tuple[Path, ...]


def closure_of(name: str, module: str) -> Closure:
    """Everything that a plugin's module needs to run.

    Args:
        name: The plugin's; an extra of this name of its distribution belongs to it.
        module: What runs it.

    Raises:
        FailedPrecondition: Something it needs is not installed here, or has no known place.
    """
    requirements: dict[str, str] = {}
    packages: dict[Path, None] = {}
    top = module.partition(".")[0]
    first = _distribution_of(name, module)
    waiting = [(first, frozenset({name}), top)] if first else []
    if first is None:
        packages[_package(top, module)] = None
    if first is None or _key(first.name) != _OURS:
        waiting.append((_installed(_OURS, name), frozenset(), _OURS))
    seen: set[str] = set()
    while waiting:
        found, extras, package = waiting.pop()
        if (key := _key(found.name)) in seen:
            continue
        seen.add(key)
        if not _editable(found):
            offered = sorted(extras & set(found.metadata.get_all("Provides-Extra") or ()))
            chosen = f"[{','.join(offered)}]" if offered else ""
            requirements[key] = f"{found.name}{chosen}=={found.version}"
            continue
        packages[_package(package, found.name)] = None
        for needed, wanted in _requires(found, extras):
            needs = _installed(needed, found.name)
            waiting.append((needs, wanted, _top_of(needs)))
    return Closure(tuple(requirements[key] for key in sorted(requirements)), tuple(packages))


def _distribution_of(name: str, module: str) -> Distribution | None:
    """Whose entry point it is; else whose file it is; else nobody's."""
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        if entry.dist is not None and module.startswith(entry.module):
            return entry.dist
    from importlib.metadata import packages_distributions  # noqa: PLC0415 - reads them all

    for found in packages_distributions().get(module.partition(".")[0], ()):
        return distribution(found)
    return None


def _requires(found: Distribution, extras: Iterable[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """What a distribution asks for here, with these extras of it."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - of the extra "pack"

    for line in found.requires or ():
        needed = Requirement(line)
        environments = [{"extra": extra} for extra in ("", *extras)]
        if needed.marker is None or any(map(needed.marker.evaluate, environments)):
            yield needed.name, frozenset(needed.extras)


def _installed(name: str, by: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise FailedPrecondition(
            f"{by} needs {name}, which is not installed here, so that it cannot be packed",
            advice=f"pip install {name}",
        ) from error


def _editable(found: Distribution) -> bool:
    """Whether only a pointer to its sources is installed (PEP 610)."""
    try:
        document = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return bool(document.get("dir_info", {}).get("editable"))


def _package(top: str, of: str) -> Path:
    spec = find_spec(top) if top else None
    for location in (spec and spec.submodule_search_locations) or ():
        return Path(location)
    raise FailedPrecondition(
        f"{of} is installed editable, and where its package is, is not known",
        advice=f"Install {of} as usual to pack it: pip install {of}, or its directory.",
    )


def _top_of(found: Distribution) -> str:
    """The package of an editable one: ours by its name, others where they say so."""
    listed = (found.read_text("top_level.txt") or "").split()
    guess = _key(found.name).replace("-", "_")
    return listed[0] if len(listed) == 1 else guess


def _key(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
